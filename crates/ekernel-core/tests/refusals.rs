//! Every way an architecture can be wrong, and what is said about it, word for word.

use ekernel_core::{Input, KernelSet, Layer, Network, Plan, Quadrature, S2Conv};

/// The smallest image network, to be spoilt.
const IMAGE: &str = "[input]\nspace = \"image\"\nshape = [8, 8, 3]\n";

fn layers(ops: &[&str]) -> String {
    ops.iter().map(|op| format!("[[layers]]\nop = {}\n", op.replace("; ", "\n"))).collect()
}

fn image(ops: &[&str]) -> String {
    format!("{IMAGE}{}", layers(ops))
}

fn vector(ops: &[&str]) -> String {
    format!("[input]\nspace = \"vector\"\nshape = [5]\n{}", layers(ops))
}

fn sphere(ops: &[&str]) -> String {
    format!("[input]\nspace = \"sphere\"\nbandlimit = 6\nchannels = 2\n{}", layers(ops))
}

fn molecule(keys: &str, ops: &[&str]) -> String {
    let keys = keys.replace("; ", "\n");
    format!("[input]\nspace = \"molecule\"\n{keys}\n{}", layers(ops))
}

/// The keys of a molecule input, none of them wrong.
const ATOMS: &str = "bandlimit = 4; elements = [1, 6, 8]; atoms = \"shared\"";

const CONV: &str = "\"conv\"; filter = [3, 3]";
const LIFT: &str = "\"lift\"; group = \"C4\"; filter = [3, 3]";

fn cases() -> Vec<(&'static str, String)> {
    let wide = |ops: &[&str]| format!("[input]\nspace = \"image\"\nshape = [8, 6, 1]\n{}", layers(ops));
    vec![
        ("not TOML", "[input\n".into()),
        ("no input", layers(&["\"dense\""])),
        ("an unknown space", "[input]\nspace = \"picture\"\nshape = [8, 8, 3]\n".into()),
        (
            "a shape of zeros",
            "[input]\nspace = \"image\"\nshape = [8, 0, 3]\n[[layers]]\nop = \"flatten\"\n".into(),
        ),
        (
            "a shape too short",
            "[input]\nspace = \"image\"\nshape = [8, 8]\n[[layers]]\nop = \"flatten\"\n".into(),
        ),
        ("no layers", IMAGE.into()),
        ("an unknown layer", image(&["\"convolution\"; filter = [3, 3]"])),
        ("an unknown key", image(&["\"conv\"; filter = [3, 3]; paddding = \"same\""])),
        ("an unknown key of the file", format!("{}[layer]\nop = \"dense\"\n", vector(&["\"dense\""]))),
        ("an unknown value", image(&["\"conv\"; filter = [3, 3]; padding = \"some\""])),
        ("an unknown group", image(&["\"lift\"; group = \"C3\"; filter = [3, 3]", "\"group_pool\""])),
        ("a missing key", image(&["\"conv\""])),
        ("a value of the wrong type", image(&["\"conv\"; filter = 3"])),
        ("an empty window", image(&["\"conv\"; filter = [0, 3]"])),
        ("a negative w_std", vector(&["\"dense\"; w_std = -1.0"])),
        ("w_std = nan", vector(&["\"dense\"; w_std = nan"])),
        ("an infinite b_std", vector(&["\"dense\"; b_std = inf"])),
        ("a rate of 0", vector(&["\"dense\"", "\"relu\"", "\"dropout\"; keep_rate = 0.0", "\"dense\""])),
        ("a rate above 1", vector(&["\"dense\"", "\"relu\"", "\"dropout\"; keep_rate = 1.5", "\"dense\""])),
        ("two layers of one name", vector(&["\"dense\"; name = \"a\"", "\"dense\"; name = \"a\""])),
        ("an unknown input", vector(&["\"dense\"; name = \"first\"", "\"dense\"; inputs = [\"frist\"]"])),
        (
            "a cycle",
            vector(&[
                "\"dense\"; name = \"a\"; inputs = [\"b\"]",
                "\"dense\"; name = \"b\"; inputs = [\"a\"]",
            ]),
        ),
        ("a sum of one", vector(&["\"dense\"; name = \"a\"", "\"sum\"; inputs = [\"a\"]"])),
        (
            "two inputs of a dense layer",
            vector(&[
                "\"dense\"; name = \"a\"",
                "\"dense\"; name = \"b\"; inputs = [\"input\"]",
                "\"dense\"; inputs = [\"a\", \"b\"]",
            ]),
        ),
        (
            "an output that nothing reads",
            vector(&["\"dense\"; name = \"a\"", "\"dense\"; name = \"b\"; inputs = [\"input\"]"]),
        ),
        ("a convolution of vectors", vector(&[CONV])),
        ("a dense layer on an image that is then convolved as a vector", image(&["\"flatten\"", CONV])),
        ("a group layer without a lift", image(&["\"group_conv\"; filter = [3, 3]"])),
        (
            "branches of different sizes",
            image(&[
                "\"conv\"; filter = [3, 3]; name = \"a\"",
                "\"conv\"; filter = [3, 3]; padding = \"same\"; name = \"b\"; inputs = [\"input\"]",
                "\"sum\"; inputs = [\"a\", \"b\"]",
                "\"flatten\"",
            ]),
        ),
        ("a pool that no kernel has", image(&["\"conv\"; filter = [3, 3]", "\"max_pool\"; window = [2, 2]", "\"flatten\""])),
        ("a window larger than the image", image(&["\"conv\"; filter = [9, 3]", "\"flatten\""])),
        ("a window of 2³¹", image(&["\"conv\"; filter = [1, 2147483648]; padding = \"same\"", "\"flatten\""])),
        (
            "strides of 2⁴⁰",
            image(&["\"avg_pool\"; window = [1, 1]; strides = [1099511627776, 1]", "\"flatten\""]),
        ),
        (
            "a width of 2⁶²",
            vector(&[
                "\"dense\"; width = 4611686018427387904",
                "\"relu\"",
                "\"dense\"; parameterization = \"standard\"",
            ]),
        ),
        (
            "a shape beyond all numbers",
            "[input]\nspace = \"image\"\nshape = [4294967296, 4294967296, 3]\n[[layers]]\nop = \"flatten\"\n".into(),
        ),
        (
            "an image that no machine compares",
            "[input]\nspace = \"image\"\nshape = [100000, 100000, 1]\n[[layers]]\nop = \"conv\"\nfilter = [3, 3]\n[[layers]]\nop = \"global_avg_pool\"\n".into(),
        ),
        (
            "more offsets than are planned",
            "[input]\nspace = \"image\"\nshape = [1, 4000000, 1]\n[[layers]]\nop = \"conv\"\nfilter = [1, 3]\n[[layers]]\nop = \"global_avg_pool\"\n".into(),
        ),
        (
            "a circular pool of wide windows",
            image(&["\"avg_pool\"; window = [8388608, 1]; strides = [1, 1]; padding = \"circular\"", "\"flatten\""]),
        ),
        (
            "branches of different widths",
            vector(&[
                "\"dense\"; width = 8; name = \"a\"",
                "\"dense\"; width = 9; inputs = [\"input\"]",
                "\"layer_norm\"; name = \"b\"",
                "\"sum\"; inputs = [\"a\", \"b\"]",
                "\"relu\"",
                "\"dense\"; parameterization = \"standard\"",
            ]),
        ),
        ("an oblong image under C4", wide(&[LIFT, "\"group_pool\""])),
        (
            "an oblong window under C4",
            image(&["\"lift\"; group = \"C4\"; filter = [3, 1]", "\"group_pool\""]),
        ),
        ("a nonlinearity of the data", vector(&["\"relu\"", "\"dense\""])),
        ("two nonlinearities in a row", vector(&["\"dense\"", "\"relu\"", "\"relu\"", "\"dense\""])),
        ("a nonlinearity behind flatten", image(&[CONV, "\"flatten\"", "\"relu\"", "\"dense\""])),
        (
            "correlated branches",
            vector(&[
                "\"dense\"; name = \"x\"",
                "\"layer_norm\"; name = \"n\"",
                "\"sum\"; inputs = [\"x\", \"n\"]",
            ]),
        ),
        ("no readout", image(&[CONV, "\"relu\""])),
        ("no readout of a group", image(&[LIFT, "\"relu\""])),
        ("dropout of the data", vector(&["\"dropout\"; keep_rate = 0.5", "\"dense\""])),
        (
            "the standard parameterisation without a width",
            vector(&["\"dense\"", "\"relu\"", "\"dense\"; parameterization = \"standard\""]),
        ),
        (
            "an even window under `same`",
            image(&["\"lift\"; group = \"C4\"; filter = [2, 2]; padding = \"same\"", "\"group_pool\""]),
        ),
        (
            "a stride that misses the border",
            image(&[LIFT, "\"relu\"", "\"group_conv\"; filter = [3, 3]; strides = [2, 2]", "\"group_pool\""]),
        ),
        (
            "a pool that does not divide the image",
            image(&[LIFT, "\"relu\"", "\"avg_pool\"; window = [4, 4]", "\"group_pool\""]),
        ),
        (
            "branches that a turned image shifts differently",
            image(&[
                "\"lift\"; group = \"C4\"; filter = [3, 3]; padding = \"circular\"",
                "\"relu\"; name = \"x\"",
                "\"group_conv\"; filter = [2, 2]; padding = \"circular\"; name = \"a\"",
                "\"group_conv\"; filter = [3, 3]; padding = \"circular\"; name = \"b\"; inputs = [\"x\"]",
                "\"sum\"; inputs = [\"a\", \"b\"]",
                "\"group_pool\"",
            ]),
        ),
        ("a convolution before the lift", image(&[CONV, "\"relu\"", LIFT, "\"group_pool\""])),
    ]
}

fn spherical_cases() -> Vec<(&'static str, String)> {
    const LIFTED: &str = "\"s2_conv\"";
    let pooled = |keys: &str| molecule(keys, &[LIFTED, "\"so3_pool\"", "\"atom_sum\""]);
    vec![
        ("no bandlimit", "[input]\nspace = \"sphere\"\nchannels = 2\n".into()),
        ("a bandlimit of 0", "[input]\nspace = \"sphere\"\nbandlimit = 0\nchannels = 2\n".into()),
        (
            "an absurd bandlimit",
            format!(
                "[input]\nspace = \"sphere\"\nbandlimit = 1000\nchannels = 2\n{}",
                layers(&[LIFTED, "\"so3_pool\""])
            ),
        ),
        ("no channels", "[input]\nspace = \"sphere\"\nbandlimit = 6\n".into()),
        (
            "dropout of a signal",
            sphere(&["\"identity\"", "\"dropout\"; keep_rate = 0.5", LIFTED, "\"so3_pool\""]),
        ),
        (
            "a shape on the sphere",
            "[input]\nspace = \"sphere\"\nbandlimit = 6\nchannels = 1\nshape = [12, 11, 1]\n".into(),
        ),
        ("a lift above the input", sphere(&["\"s2_conv\"; bandlimit = 7", "\"so3_pool\""])),
        ("a lift to nothing", sphere(&["\"s2_conv\"; bandlimit = 0", "\"so3_pool\""])),
        (
            "a later convolution above the lift",
            sphere(&[
                "\"s2_conv\"; bandlimit = 3",
                "\"relu\"",
                "\"so3_conv\"; bandlimit = 4",
                "\"so3_pool\"",
            ]),
        ),
        ("two lifts", sphere(&[LIFTED, "\"relu\"", LIFTED, "\"so3_pool\""])),
        ("so3_conv without a lift", sphere(&["\"so3_conv\"", "\"so3_pool\""])),
        ("so3_pool without a lift", sphere(&["\"so3_pool\""])),
        ("a planar convolution on a sphere", sphere(&[CONV])),
        ("a planar convolution on rotations", sphere(&[LIFTED, CONV])),
        ("a planar pool on rotations", sphere(&[LIFTED, "\"global_avg_pool\""])),
        ("group_pool on rotations", sphere(&[LIFTED, "\"group_pool\""])),
        ("flatten on rotations", sphere(&[LIFTED, "\"flatten\""])),
        ("dense on a sphere", sphere(&["\"dense\""])),
        ("dense on rotations", sphere(&[LIFTED, "\"dense\""])),
        ("s2_conv on an image", image(&[LIFTED])),
        ("so3_pool of an image", image(&["\"so3_pool\""])),
        ("a nonlinearity of the signal", sphere(&["\"relu\"", LIFTED, "\"so3_pool\""])),
        (
            "the standard parameterisation on the sphere",
            sphere(&["\"s2_conv\"; parameterization = \"standard\"", "\"so3_pool\""]),
        ),
        ("no readout of a sphere", sphere(&["\"identity\""])),
        ("no readout of rotations", sphere(&[LIFTED, "\"relu\""])),
        (
            "branches of different bandlimits",
            sphere(&[
                "\"s2_conv\"; name = \"a\"",
                "\"s2_conv\"; bandlimit = 3; name = \"b\"; inputs = [\"input\"]",
                "\"sum\"; inputs = [\"a\", \"b\"]",
                "\"so3_pool\"",
            ]),
        ),
        ("atom_sum without atoms", sphere(&[LIFTED, "\"so3_pool\"", "\"atom_sum\""])),
        ("a molecule without atom_sum", molecule(ATOMS, &[LIFTED, "\"relu\"", "\"so3_pool\"", "\"dense\""])),
        ("a molecule that ends on spheres", molecule(ATOMS, &["\"identity\""])),
        ("a molecule that ends on rotations", molecule(ATOMS, &[LIFTED])),
        ("atom_sum before the pool", molecule(ATOMS, &[LIFTED, "\"atom_sum\""])),
        ("atom_sum of the signals", molecule(ATOMS, &["\"atom_sum\""])),
        (
            "a nonlinearity behind atom_sum",
            molecule(ATOMS, &[LIFTED, "\"relu\"", "\"so3_pool\"", "\"atom_sum\"", "\"relu\"", "\"dense\""]),
        ),
        ("no elements", pooled("bandlimit = 4; atoms = \"shared\"")),
        ("an empty list of elements", pooled("bandlimit = 4; elements = []; atoms = \"shared\"")),
        ("an element twice", pooled("bandlimit = 4; elements = [1, 6, 1]; atoms = \"shared\"")),
        ("an element by its symbol", pooled("bandlimit = 4; elements = [\"H\"]; atoms = \"shared\"")),
        ("half an element", pooled("bandlimit = 4; elements = [1.5]; atoms = \"shared\"")),
        ("no word on the atoms", pooled("bandlimit = 4; elements = [1, 6]")),
        ("another word on the atoms", pooled("bandlimit = 4; elements = [1, 6]; atoms = \"sharing\"")),
        ("no powers", pooled("bandlimit = 4; elements = [1, 6]; powers = []; atoms = \"shared\"")),
        ("a negative power", pooled("bandlimit = 4; elements = [1, 6]; powers = [-2]; atoms = \"shared\"")),
        (
            "a center that is no element",
            pooled("bandlimit = 4; elements = [1, 6]; centers = [7]; atoms = \"shared\""),
        ),
        ("no centers", pooled("bandlimit = 4; elements = [1, 6]; centers = []; atoms = \"shared\"")),
        ("a shell behind", pooled("bandlimit = 4; elements = [1, 6]; shells = [-1]; atoms = \"shared\"")),
        (
            "no functions of the distance",
            pooled("bandlimit = 4; elements = [1, 6]; shells = []; atoms = \"shared\""),
        ),
        (
            "a width without shells",
            pooled("bandlimit = 4; elements = [1, 6]; shell_width = 0.3; atoms = \"shared\""),
        ),
        (
            "a fall without shells",
            pooled("bandlimit = 4; elements = [1, 6]; shell_power = 4; atoms = \"shared\""),
        ),
        (
            "shells that grow",
            pooled("bandlimit = 4; elements = [1, 6]; shells = [1]; shell_power = -1; atoms = \"shared\""),
        ),
        (
            "shells without width",
            pooled("bandlimit = 4; elements = [1, 6]; shells = [1]; shell_width = 0; atoms = \"shared\""),
        ),
        (
            "a steep power of the charges",
            pooled("bandlimit = 4; elements = [1, 6]; charge_power = 9; atoms = \"shared\""),
        ),
        ("an angle of 0", pooled("bandlimit = 4; elements = [1, 6]; cutoff_angle = 0; atoms = \"shared\"")),
    ]
}

#[test]
fn refusals_on_the_sphere_say_what_where_and_what_would_do() {
    insta::assert_snapshot!("spherical_refusals", said(spherical_cases()));
}

/// A builder can hold what no file can; a quadrature is chosen where a plan is made.
#[test]
fn builders_and_quadratures_are_checked_too() {
    let build = |input: Input| {
        let layers = Network::builder(input).layer(S2Conv::new()).layer(Layer::So3Pool);
        layers.build().expect_err("refused").to_string()
    };
    let network = sphere(&["\"s2_conv\"", "\"so3_pool\""]).parse::<Network>().expect("a network");
    let nodes = |nodes| {
        let plan = Plan::with_quadrature(&network, KernelSet::Both, Quadrature::Nodes(nodes));
        plan.expect_err("refused").to_string()
    };
    let said = [
        build(Input::Sphere { bandlimit: 0, channels: 1 }),
        build(Input::Sphere { bandlimit: 4, channels: 0 }),
        nodes(5),
        nodes(5000),
    ];
    insta::assert_snapshot!("spherical_builders", said.join("\n"));
}

#[test]
fn refusals_say_what_where_and_what_would_do() {
    insta::assert_snapshot!("refusals", said(cases()));
}

fn said(cases: Vec<(&'static str, String)>) -> String {
    let mut said = String::new();
    for (case, file) in cases {
        let refused = file.parse::<Network>().and_then(|network| Plan::new(&network, KernelSet::Both));
        let error = refused.err().unwrap_or_else(|| panic!("{case}: this was taken:\n{file}"));
        said += &format!("{case}\n    {}\n", error.to_string().replace('\n', "\n    "));
    }
    said
}
