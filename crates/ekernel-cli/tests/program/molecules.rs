//! Energies of molecules, from files to errors in meV.

use crate::support::{ARCH, MOLECULE_ARCH, Playground, SPHERE_ARCH, read};
use ndarray::{Array1, Array2, Array3, Axis, array};

/// Of water-like, methanol-like and longer chains: positions (n, 5, 3), charges, and an energy of -0.5 for each H, -38 for
/// each C, -75 for each O and 0.1 per Å between the first two atoms.
struct Chains {
    positions: Array3<f64>,
    charges: Array2<i64>,
    energies: Array1<f64>,
}

impl Chains {
    fn new(n: usize) -> Chains {
        let kinds: [[i64; 5]; 4] = [[8, 1, 1, 0, 0], [6, 8, 1, 1, 1], [6, 6, 1, 1, 0], [6, 6, 8, 1, 1]];
        let charges = Array2::from_shape_fn((n, 5), |(i, atom)| kinds[i % 4][atom]);
        let positions = Array3::from_shape_fn((n, 5, 3), |(i, atom, axis)| {
            let phase = (7 * i + 3 * atom + axis) as f64;
            if charges[[i, atom]] == 0 {
                0.0
            } else {
                1.2 * (axis == atom % 3) as u8 as f64 * atom as f64 + 0.2 * phase.sin()
            }
        });
        let energies = Array1::from_shape_fn(n, |i| {
            let atom = |z: &i64| match z {
                1 => -0.5,
                6 => -38.0,
                8 => -75.0,
                _ => 0.0,
            };
            let along = |axis| f64::powi(positions[[i, 1, axis]] - positions[[i, 0, axis]], 2);
            let bond = (0..3).map(along).sum::<f64>().sqrt();
            charges.row(i).iter().map(atom).sum::<f64>() + 0.1 * bond
        });
        Chains { positions, charges, energies }
    }

    fn write(&self, here: &Playground, name: &str) {
        let n = self.energies.len() as i64;
        let (train, test) = (Array1::from_iter(0..n - 4), Array1::from_iter(n - 4..n));
        let (elements, atoms) = (array![1i64, 6, 8], array![-0.5, -38.0, -75.0]);
        here.arrays(
            name,
            &[
                ("positions", (&self.positions).into()),
                ("charges", (&self.charges).into()),
                ("U0", (&self.energies).into()),
                ("gap", (&self.energies).into()),
                ("train_idx", (&train).into()),
                ("test_idx", (&test).into()),
                ("atomref_Z", (&elements).into()),
                ("atomref_U0", (&atoms).into()),
            ],
        );
    }
}

/// With `mol.toml`, `indexed.toml`, `mlp.toml`, and `mol.npz` of 16 molecules.
fn playground() -> Playground {
    let here = Playground::new();
    here.text("mol.toml", MOLECULE_ARCH);
    here.text("indexed.toml", &MOLECULE_ARCH.replace("shared", "indexed"));
    here.text("elements.toml", &MOLECULE_ARCH.replace("shared", "elements"));
    let mlp = MOLECULE_ARCH.replace("\"s2_conv\"", "\"flatten\"\n[[layers]]\nop = \"dense\"");
    here.text("mlp.toml", &mlp.replace("[[layers]]\nop = \"so3_pool\"\n", ""));
    Chains::new(16).write(&here, "mol.npz");
    here
}

const PREDICT: &str = "predict --train mol.npz:train,U0 --test mol.npz:test,U0 --backend reference --quiet";

#[test]
fn energies_are_predicted_in_milli_electron_volts() {
    let here = playground();
    let found = here.json(&format!("{PREDICT} --arch mol.toml --references atoms --out p.npz"));
    assert_eq!(found["property"], "U0");
    assert_eq!((&found["stored_unit"], &found["error_unit"]), (&"Hartree".into(), &"meV".into()));
    // `mean` is the energy itself, in Hartree; the MAE is reported in meV.
    let mean = read(&here.path("p.npz"), "mean");
    let truth = Chains::new(16).energies.slice(ndarray::s![12..]).to_owned().insert_axis(Axis(1));
    let mae = (&mean - &truth).mapv(f64::abs).mean().unwrap() * 27_211.386_245_988;
    let reported = found["networks"][0]["mae"].as_f64().unwrap();
    assert!((mae - reported).abs() < 1e-6 * reported, "{mae} {reported}");
    assert!(mean.iter().all(|&energy| energy < -60.0), "{mean}");
    // The bond that is left of the energy varies by 0.02 Hartree: without it the atoms alone are hundreds of meV off.
    let alone = found["composition"][0]["mean"].as_f64().unwrap();
    assert!(reported < 0.5 * alone && alone > 100.0, "{reported} {alone}");
    let text = here.succeed(&format!("{PREDICT} --arch mol.toml"));
    assert!(
        text.contains("12 training and 4 test molecules, U0 (Hartree)") && text.contains("meV"),
        "{text}"
    );
}

#[test]
fn what_is_taken_off_comes_from_the_training_molecules() {
    let here = playground();
    let mae = |words: &str| {
        let found = here.json(&format!("{PREDICT} --arch mol.toml {words}"));
        found["networks"][0]["mae"].as_f64().unwrap()
    };
    let (none, atoms, fit) = (mae("--references none"), mae("--references atoms"), mae("--references fit"));
    assert!(none > 10.0 * atoms && none > 10.0 * fit, "{none} {atoms} {fit}");
    // Test energies that are wrong move the scores, never the predictions.
    let mut wrong = Chains::new(16);
    wrong.energies.slice_mut(ndarray::s![12..]).fill(5.0);
    wrong.write(&here, "wrong.npz");
    here.succeed(&format!("{PREDICT} --arch mol.toml --out right.npz"));
    here.succeed(&format!(
        "{} --arch mol.toml --out wrong_p.npz",
        PREDICT.replace("mol.npz:test", "wrong.npz:test")
    ));
    assert_eq!(read(&here.path("right.npz"), "mean"), read(&here.path("wrong_p.npz"), "mean"));
}

#[test]
fn units_are_those_that_are_said() {
    let here = playground();
    let mae = |unit: &str| {
        let found = here.json(&format!("{PREDICT} --arch mol.toml --unit {unit}"));
        found["networks"][0]["mae"].as_f64().unwrap()
    };
    let (hartree, ev, stored) = (mae("hartree"), mae("ev"), mae("as-stored"));
    assert!((hartree / ev - 27.211_386).abs() < 1e-5 && (ev / stored - 1000.0).abs() < 1e-9);
}

#[test]
fn learning_curves_of_molecules_resume() {
    let here = playground();
    let words = format!(
        "{PREDICT} --arch mol.toml --arch mlp.toml --n 4,8,12 --seeds 2 --ridge auto --resume tiles --plot c.svg"
    );
    let text = here.succeed(&words);
    let heading = text.lines().find(|line| line.starts_with("n ")).unwrap();
    assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), ["n", "composition", "mol", "mlp"]);
    assert!(text.contains("MAE in meV"), "{text}");
    let plot = std::fs::read_to_string(here.path("c.svg")).unwrap();
    for word in ["composition", "MAE in meV", "training molecules"] {
        assert!(plot.contains(word), "{word}");
    }
    let again = here.json(&words);
    for network in again["networks"].as_array().unwrap() {
        assert_eq!(network["pairs"], 0, "{network}");
        assert_eq!(network["curve"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn kernels_do_not_change_when_molecules_turn() {
    let here = playground();
    let turn = array![[0.6, -0.8, 0.0], [0.48, 0.36, -0.8], [0.64, 0.48, 0.6]];
    let mut chains = Chains::new(16);
    for mut molecule in chains.positions.outer_iter_mut() {
        let turned = molecule.dot(&turn);
        molecule.assign(&turned);
    }
    chains.write(&here, "turned.npz");
    let kernel = |arch: &str, file: &str| {
        here.succeed(&format!(
            "gram --arch {arch} --x1 {file}:train --x2 mol.npz:test --backend reference --quiet --out k.npz"
        ));
        read(&here.path("k.npz"), "ntk")
    };
    let change = |arch: &str| {
        let (before, after) = (kernel(arch, "mol.npz"), kernel(arch, "turned.npz"));
        let largest = before.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        (&before - &after).iter().fold(0.0, |a: f64, b| a.max(b.abs())) / largest
    };
    let [shared, indexed, mlp] = ["mol.toml", "indexed.toml", "mlp.toml"].map(change);
    // The error of 12 nodes near the cone of a relu, measured 4e-6; an MLP has no such symmetry.
    assert!(shared < 2e-5 && indexed < 2e-5, "{shared:e} {indexed:e}");
    assert!(mlp > 1e-2, "{mlp:e}");
}

#[test]
fn the_order_of_atoms_matters_where_they_are_indexed() {
    let here = playground();
    let mut chains = Chains::new(16);
    for (mut positions, mut charges) in chains.positions.outer_iter_mut().zip(chains.charges.outer_iter_mut())
    {
        for axis in 0..3 {
            positions.swap([0, axis], [1, axis]);
        }
        charges.swap(0, 1);
    }
    chains.write(&here, "swapped.npz");
    let kernel = |arch: &str, file: &str| {
        here.succeed(&format!(
            "gram --arch {arch} --x1 {file}:train --x2 mol.npz:test --backend reference --quiet --kind nngp --out k.npz"
        ));
        read(&here.path("k.npz"), "nngp")
    };
    let worst = |arch| {
        let (before, after) = (kernel(arch, "mol.npz"), kernel(arch, "swapped.npz"));
        before.iter().zip(&after).fold(0.0, |worst: f64, (a, b)| worst.max((a / b - 1.0).abs()))
    };
    assert!(worst("mol.toml") < 1e-12);
    assert!(worst("elements.toml") < 1e-12);
    assert!(worst("indexed.toml") > 1e-2);
}

#[test]
fn plans_and_checks_of_molecules() {
    let here = playground();
    let plan = here.json("plan mol.toml");
    assert_eq!(plan["rotations"][0]["bandlimit"], 2);
    assert_eq!(plan["atoms"]["pairs"], "shared");
    assert!(here.succeed("plan mol.toml").contains("atom"));
    let found = here.json("check mol.toml --quiet");
    assert_eq!(found["ok"], true, "{found}");
}

#[test]
fn molecules_that_cannot_be() {
    let here = playground();
    let gram = |file: &str| format!("gram --arch mol.toml --x1 {file} --backend reference --out k.npz");
    let faulty = |name: &str, change: &dyn Fn(&mut Chains)| {
        let mut chains = Chains::new(16);
        change(&mut chains);
        chains.write(&here, name);
    };
    faulty("close.npz", &|c| (0..3).for_each(|axis| c.positions[[5, 1, axis]] = c.positions[[5, 0, axis]]));
    here.refuse(&gram("close.npz:train"), &["close.npz", "row 5", "atoms 0 and 1", "Å apart"]);
    faulty("nan.npz", &|c| c.positions[[3, 2, 1]] = f64::NAN);
    here.refuse(&gram("nan.npz:train"), &["row 3", "atom 2", "NaN", "(y)"]);
    faulty("alone.npz", &|c| c.charges.slice_mut(ndarray::s![2, 1..]).fill(0));
    here.refuse(&gram("alone.npz:train"), &["row 2", "single atom"]);
    faulty("fluorine.npz", &|c| c.charges[[6, 2]] = 9);
    here.refuse(&gram("fluorine.npz:train"), &["row 6", "atom 2", "F (9)", "H (1), C (6), O (8)"]);
    let atoms = (0..1001).map(|i| format!("H {} 0 0\n", 2 * i)).collect::<String>();
    here.text("long.xyz", &format!("1001\n\n{atoms}"));
    here.refuse(&gram("long.xyz"), &["long.xyz", "1001 atoms", "at most 1000"]);
    here.text("oxygen.toml", &MOLECULE_ARCH.replace("[1, 6, 8]", "[1, 6, 8]\ncenters = [8]"));
    faulty("methane.npz", &|c| {
        c.charges.slice_mut(ndarray::s![3, ..]).mapv_inplace(|z| if z == 8 { 6 } else { z })
    });
    here.refuse(
        &gram("methane.npz:train").replace("mol.toml", "oxygen.toml"),
        &["row 2", "centers", "O (8)"],
    );
    here.refuse(&gram("mol.npz:trian"), &["no set of rows 'trian'", "train"]);
    here.refuse(&gram("data.npz:x"), &["data.npz", "charges"]);
}

#[test]
fn architectures_of_molecules_that_cannot_be() {
    let here = playground();
    let plan = |name: &str, from: &str, to: &str, parts: &[&str]| {
        here.text(name, &MOLECULE_ARCH.replace(from, to));
        here.refuse(&format!("plan {name}"), parts);
    };
    plan("zero.toml", "bandlimit = 2", "bandlimit = 0", &["zero.toml", "bandlimit", "at least 1"]);
    plan("half.toml", "bandlimit = 2", "bandlimit = 2.5", &["half.toml", "bandlimit"]);
    plan("pairing.toml", "shared", "shard", &["pairing.toml", "shard", "shared"]);
    plan("center.toml", "[1, 6, 8]", "[1, 6, 8]\ncenters = [9]", &["center.toml", "centers", "[6, 7, 8, 9]"]);
    plan("element.toml", "[1, 6, 8]", "[1, 6, 200]", &["element.toml", "elements", "118"]);
    plan("sum.toml", "[[layers]]\nop = \"atom_sum\"\n", "", &["sum.toml", "atom"]);
}

#[test]
fn words_about_molecules_that_mean_nothing() {
    let here = playground();
    let predict = "predict --arch mol.toml --backend reference";
    here.refuse(&format!("{predict} --train mol.npz:train --test mol.npz:test,U0"), &["--train", "property"]);
    here.refuse(
        &format!("{predict} --train mol.npz:train,U0 --test mol.npz:test,gap"),
        &["U0", "gap", "name the same"],
    );
    here.refuse(&format!("{predict} --train mol.npz:train,U --test mol.npz:test,U"), &["no array 'U'", "U0"]);
    here.refuse(
        &format!("{predict} --train mol.npz:train,gap --test mol.npz:test,gap --references atoms"),
        &["--references atoms", "'gap'", "fit"],
    );
    here.refuse(
        &format!("{predict} --train mol.npz:train,U0 --test mol.npz:test,U0 --normalize standardize"),
        &["standardize", "molecules"],
    );
    here.refuse(
        &format!("{predict} --arch net.toml --train mol.npz:train,U0 --test mol.npz:test,U0"),
        &["mol.toml reads molecules", "net.toml reads vectors or images"],
    );
    here.refuse(
        &format!("{predict} --train mol.npz:train,U0 --test mol.npz:test,U0 --n 13"),
        &["--n 13", "12"],
    );
    here.refuse("gram --arch net.toml --x1 mol.npz:positions --out k.npz", &["net.toml", "[5, 5, 1]"]);
    here.refuse("demo molecules", &["data/qm9_1k.npz", "--repository"]);
    here.text("sphere.toml", SPHERE_ARCH);
    here.text("image.toml", ARCH);
    here.refuse(
        "predict --arch sphere.toml --arch image.toml --train data.npz:x,y --test data.npz:x,y",
        &["sphere.toml reads signals on the sphere", "one kind"],
    );
}

#[test]
fn words_that_would_be_ignored() {
    let here = playground();
    let images = "predict --arch net.toml --train data.npz:x,v --test data.npz:x,v";
    here.refuse(&format!("{images} --references fit"), &["--references", "molecules"]);
    here.refuse(&format!("{images} --unit ev"), &["--unit", "molecules"]);
    here.refuse(&format!("{images} --quadrature fast"), &["--quadrature", "sphere"]);
    here.refuse("gram --arch net.toml --x1 data.npz:x --quadrature fast --out k.npz", &["--quadrature"]);
    here.refuse("gram --arch mol.toml --x1 mol.npz:train --blocks all --out k.npz", &["--blocks all"]);
}

/// Whether or not the test molecules have the property.
#[test]
fn an_element_without_an_energy_of_its_isolated_atom() {
    let here = playground();
    let Chains { positions, charges, energies } = Chains::new(16);
    let (elements, atoms) = (array![1i64, 6], array![-0.5, -38.0]);
    here.arrays(
        "few.npz",
        &[
            ("positions", (&positions).into()),
            ("charges", (&charges).into()),
            ("U0", (&energies).into()),
            ("atomref_Z", (&elements).into()),
            ("atomref_U0", (&atoms).into()),
        ],
    );
    for test in ["few.npz:12..16", "few.npz:12..16,U0"] {
        here.refuse(
            &format!("predict --arch mol.toml --train few.npz:0..12,U0 --test {test}"),
            &["few.npz", "isolated atom O (8)", "atomref_Z"],
        );
    }
}

#[test]
fn networks_without_a_common_element() {
    let here = playground();
    here.text("other.toml", &MOLECULE_ARCH.replace("[1, 6, 8]", "[9]"));
    here.refuse(
        "predict --arch mol.toml --arch other.toml --train mol.npz:train,U0 --test mol.npz:test,U0",
        &["mol.toml and other.toml", "no element in common"],
    );
}

/// On a software adapter, or the one that `EKERNEL_GPU` names; `EKERNEL_GPU=skip` leaves it out.
#[test]
fn a_gpu_gives_the_cpu_s_kernels_and_energies() {
    let adapter = std::env::var("EKERNEL_GPU").unwrap_or_else(|_| "software".to_owned());
    if adapter == "skip" {
        println!("EKERNEL_GPU=skip: NOTHING IS TESTED ON A GPU");
        return;
    }
    let here = playground();
    let gpu = format!("--backend wgpu --adapter {adapter}");
    let plan = here.succeed(&format!("plan mol.toml {gpu}"));
    assert!(plan.contains("stage 0 rotations: points in registers"), "{plan}");
    for (arch, words) in [("mol.toml", ""), ("indexed.toml", "--quadrature fast")] {
        let gram = format!("gram --arch {arch} {words} --x1 mol.npz:train --quiet");
        here.succeed(&format!("{gram} --backend cpu --precision f64 --out c.npz"));
        let shown = here.json(&format!("{gram} {gpu} --out g.npz"));
        assert!(shown["backend"].as_str().unwrap().contains("wgpu f32 rotations"), "{shown}");
        for kernel in ["nngp", "ntk"] {
            let (cpu, gpu) = (read(&here.path("c.npz"), kernel), read(&here.path("g.npz"), kernel));
            let largest = cpu.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
            let worst = (&cpu - &gpu).iter().fold(0.0, |a: f64, b| a.max(b.abs())) / largest;
            assert!(worst < 1e-6, "{arch} {kernel}: {worst:e}");
        }
    }
    let predict =
        "predict --arch mol.toml --train mol.npz:train,U0 --test mol.npz:test,U0 --ridge 1e-2 --quiet";
    let error =
        |words: &str| here.json(&format!("{predict} {words}"))["networks"][0]["mae"].as_f64().unwrap();
    let (cpu, gpu) = (error("--backend cpu --precision f64"), error(&gpu));
    assert!((cpu - gpu).abs() < 1e-3 * cpu, "{cpu} {gpu}");
    let check = here.json(&format!("check mol.toml --quiet --adapter {adapter}"));
    assert!(check["ok"] == true && check["worst"].to_string().contains("wgpu f32"), "{check}");
}
