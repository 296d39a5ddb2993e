//! The digest of a plan: what leaves it as it is, and what does not.

use std::collections::BTreeMap;

use ekernel_core::{
    KernelSet, Network, Plan, Quadrature,
    plan::{Digest, DigestError},
};

fn plan(file: &str) -> Plan {
    Plan::new(&file.parse::<Network>().expect(file), KernelSet::Both).expect(file)
}

const IMAGE: &str = "[input]\nspace = 'image'\nshape = [8, 8, 3]\n[[layers]]\nop = 'conv'\nfilter = [3, 3]\npadding = 'same'\nb_std = 0.1\n[[layers]]\nop = 'erf'\n[[layers]]\nop = 'avg_pool'\nwindow = [2, 2]\n[[layers]]\nop = 'conv'\nfilter = [3, 1]\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'global_avg_pool'\n[[layers]]\nop = 'dense'\n";
const GROUP: &str = "[input]\nspace = 'image'\nshape = [6, 6, 1]\n[[layers]]\nop = 'lift'\ngroup = 'C4'\nfilter = [3, 3]\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'group_pool'\n";
const MOLECULE: &str = "[input]\nspace = 'molecule'\nbandlimit = 4\nelements = [1, 6]\ncenters = [6]\npowers = [2, 6]\natoms = 'shared'\n[[layers]]\nop = 's2_conv'\n[[layers]]\nop = 'relu'\n[[layers]]\nop = 'so3_conv'\nbandlimit = 3\n[[layers]]\nop = 'so3_pool'\n[[layers]]\nop = 'atom_sum'\n[[layers]]\nop = 'dense'\n";

#[test]
fn words_that_mean_the_same_leave_it() {
    let digest = plan(IMAGE).digest();
    let named = IMAGE.replace("op = 'erf'", "name = 'first'\nop = 'erf'\nc = 0.0\na = 1.0");
    let idle =
        IMAGE.replace("[[layers]]\nop = 'relu'", "[[layers]]\nop = 'relu'\n[[layers]]\nop = 'identity'");
    let (input, layers) = IMAGE.split_at(IMAGE.find("[[layers]]").expect("layers"));
    for file in [named, idle, format!("{layers}{input}")] {
        assert_eq!(plan(&file).digest(), digest, "{file}");
    }
}

/// Every change of a number, a word or an order in the files gives a digest of its own.
#[test]
fn whatever_changes_a_kernel_changes_it() {
    let changes: [(&str, &[(&str, &str)]); 3] = [
        (
            IMAGE,
            &[
                ("[8, 8, 3]", "[8, 8, 2]"),
                ("[8, 8, 3]", "[8, 10, 3]"),
                ("'same'", "'circular'"),
                ("'same'", "'valid'"),
                ("filter = [3, 1]", "filter = [1, 3]"),
                ("filter = [3, 1]", "filter = [3, 1]\nstrides = [1, 2]"),
                ("b_std = 0.1", "b_std = 0.1000000000000001"),
                ("b_std = 0.1", "w_std = 0.1"),
                ("'erf'", "'erf'\nb = 2.0"),
                ("'erf'", "'erf'\nc = 2.0"),
                ("'erf'", "'sin'"),
                ("'erf'", "'cos'"),
                ("'erf'", "'gaussian'"),
                ("'erf'", "'gelu'"),
                ("'erf'", "'layer_norm'"),
                ("'erf'", "'layer_norm'\nover = 'all'"),
                ("'relu'", "'leaky_relu'"),
                ("'relu'", "'abs'"),
                ("'relu'", "'relu'\n[[layers]]\nop = 'dropout'\nkeep_rate = 0.5"),
                ("'avg_pool'", "'sum_pool'"),
                ("'global_avg_pool'", "'flatten'"),
                ("'global_avg_pool'", "'global_sum_pool'"),
                ("op = 'dense'", "op = 'dense'\nb_std = 1.0"),
            ],
        ),
        (GROUP, &[("C4", "C2"), ("C4", "D4"), ("C4", "C1"), ("'group_pool'", "'flatten'")]),
        (
            MOLECULE,
            &[
                ("'shared'", "'indexed'"),
                ("'shared'", "'elements'"),
                ("centers = [6]", "centers = [1]"),
                ("[2, 6]", "[2, 5]"),
                ("[2, 6]", "[2]\nshells = [6]"),
                ("[2, 6]", "[2]\nshells = [6]\nshell_power = 4"),
                ("bandlimit = 3", "bandlimit = 2"),
                ("bandlimit = 4", "bandlimit = 5"),
                ("'shared'", "'shared'\ncharge_power = 0.5"),
                ("'shared'", "'shared'\ncutoff_angle = 30"),
            ],
        ),
    ];
    let mut seen: BTreeMap<Digest, String> = BTreeMap::new();
    let mut add = |digest: Digest, what: String| {
        assert_eq!(seen.insert(digest, what.clone()), None, "{what}");
    };
    for (file, changes) in changes {
        add(plan(file).digest(), file.to_owned());
        for (from, to) in changes {
            assert!(file.contains(from), "{from}");
            add(plan(&file.replacen(from, to, 1)).digest(), format!("{from} -> {to}"));
        }
    }
    let network: Network = MOLECULE.parse().expect("a network");
    add(Plan::new(&network, KernelSet::Nngp).expect("a plan").digest(), "the NNGP alone".to_owned());
    let coarse = Plan::with_quadrature(&network, KernelSet::Both, Quadrature::Fast).expect("a plan");
    add(coarse.digest(), "a coarse quadrature".to_owned());
}

/// The digest that stands in folders of earlier runs: it changes with the encoding alone, which then needs another word in front.
#[test]
fn it_is_the_same_on_every_machine() {
    let said = plan(GROUP).digest().to_string();
    assert_eq!(said, "c509f72204715717e47fdac7801f55ad475303cab2d172e15b7bcd03f387e0e4");
    assert_eq!(said.parse(), Ok(plan(GROUP).digest()));
    for found in
        ["", "abc", &said[1..], &format!("{said}0"), &said.replace(|c: char| c.is_ascii_digit(), "g")]
    {
        assert_eq!(found.parse::<Digest>(), Err(DigestError { found: found.to_owned() }));
    }
}
