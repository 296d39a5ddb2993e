//! Every way an architecture can be wrong, and what is said about it, word for word.

use ekernel_core::{Kinds, Network, Plan};

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
        ("a rate of 0", vector(&["\"dense\"", "\"relu\"", "\"dropout\"; rate = 0.0", "\"dense\""])),
        ("a rate above 1", vector(&["\"dense\"", "\"relu\"", "\"dropout\"; rate = 1.5", "\"dense\""])),
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
        ("a window larger than the image", image(&["\"conv\"; filter = [9, 3]", "\"flatten\""])),
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
        ("dropout of the data", vector(&["\"dropout\"; rate = 0.5", "\"dense\""])),
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
        ("a convolution before the lift", image(&[CONV, "\"relu\"", LIFT, "\"group_pool\""])),
    ]
}

#[test]
fn refusals_say_what_where_and_what_would_do() {
    let mut said = String::new();
    for (case, file) in cases() {
        let refused = file.parse::<Network>().and_then(|network| Plan::new(&network, Kinds::Both));
        let error = refused.err().unwrap_or_else(|| panic!("{case}: this was taken:\n{file}"));
        said += &format!("{case}\n    {}\n", error.to_string().replace('\n', "\n    "));
    }
    insta::assert_snapshot!("refusals", said);
}
