//! Tables of numbers as samples and targets.

use crate::support::{Playground, read};

const ARCH: &str = "[input]\nspace = \"vector\"\nshape = [2]\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"erf\"\n[[layers]]\nop = \"dense\"\n";

/// With `mlp.toml` of two features, and `t.csv`: columns a, b, y, class.
fn playground() -> Playground {
    let here = Playground::new();
    here.text("mlp.toml", ARCH);
    let mut text = String::from("a,b,y,class\n");
    for i in 0..20 {
        let (a, b) = (f64::from(i).sin(), f64::from(3 * i).cos());
        text += &format!("{a},{b},{},{}\n", 10.0 + a * b, if a > 0.0 { "up" } else { "down" });
    }
    here.text("t.csv", &text);
    here
}

#[test]
fn a_table_is_read_as_the_same_arrays() {
    let here = playground();
    let rows: Vec<[f64; 3]> = (0..20)
        .map(|i| {
            let (a, b) = (f64::from(i).sin(), f64::from(3 * i).cos());
            [a, b, 10.0 + a * b]
        })
        .collect();
    let x = ndarray::Array2::from_shape_fn((20, 2), |(i, j)| rows[i][j]);
    let y: ndarray::Array1<f64> = rows.iter().map(|row| row[2]).collect();
    here.arrays("t.npz", &[("x", (&x).into()), ("y", (&y).into())]);
    // The column of classes is no number, so the table without it.
    here.text("n.csv", &without_last_column(&here));
    let words = "predict --arch mlp.toml --backend reference --quiet";
    here.succeed(&format!("{words} --train n.csv:0..12,y --test n.csv:12..20,y --out a.npz"));
    here.succeed(&format!("{words} --train t.npz:x[0:12],y --test t.npz:x[12:],y --out b.npz"));
    assert_eq!(read(&here.path("a.npz"), "mean"), read(&here.path("b.npz"), "mean"));
    // The target is no feature where the test set does not name it.
    here.succeed(&format!("{words} --train n.csv:0..12,y --test n.csv:12..20 --out c.npz"));
    assert_eq!(read(&here.path("a.npz"), "mean"), read(&here.path("c.npz"), "mean"));
    let names = here.json(&format!("{words} --train n.csv:0..12,y --test n.csv:12..20,y"))["names"].clone();
    assert_eq!((&names[0], &names[7]), (&"12".into(), &"19".into()));
}

fn without_last_column(here: &Playground) -> String {
    let text = std::fs::read_to_string(here.path("t.csv")).unwrap();
    text.lines().map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0)).collect()
}

#[test]
fn columns_are_matched_by_name() {
    let here = playground();
    here.text("train.csv", "a,b,y\n1,2,0.5\n2,1,0.25\n0,1,1.5\n");
    here.text("turned.csv", "b,a,y\n2,1,0.5\n1,2,0.25\n1,0,1.5\n");
    here.text("other.csv", "a,c,y\n1,2,0.5\n");
    let words = "predict --arch mlp.toml --backend reference --quiet --train train.csv:all,y";
    here.succeed(&format!("{words} --test train.csv:all,y --out a.npz"));
    here.succeed(&format!("{words} --test turned.csv:all,y --out b.npz"));
    assert_eq!(read(&here.path("a.npz"), "mean"), read(&here.path("b.npz"), "mean"));
    here.refuse(&format!("{words} --test other.csv:all,y"), &["column 'b'", "same columns"]);
    let gram = "gram mlp.toml --backend reference --quiet --out k.npz";
    here.text("x1.csv", "a,b\n1,2\n0,1\n");
    here.text("x2.csv", "b,a\n2,1\n1,0\n");
    here.succeed(&format!("{gram} --x1 x1.csv --x2 x2.csv"));
    let k = read(&here.path("k.npz"), "nngp");
    assert_eq!(k, k.t());
}

#[test]
fn what_a_table_lacks_is_said_by_row_and_column() {
    let here = playground();
    let words =
        "predict --arch mlp.toml --backend reference --quiet --train bad.csv:all,y --test t.csv:all,y";
    for (text, parts) in [
        ("a,b,y\n1,2,3\n1,,3\n", ["row 1 (line 3)", "column 'b' has no value"]),
        ("a,b,y\n1,2,NA\n1,2,3\n", ["row 0 (line 2)", "column 'y' has no value"]),
        ("a,b,y\n1,x,3\n", ["column 'b' holds 'x'", "encode the column"]),
        ("a;b;y\n1;2,5;3\n", ["column 'b' holds '2,5'", "with a point"]),
        ("a,b,y\n1,inf,3\n", ["column 'b' holds 'inf'", "no number"]),
        ("a,a,y\n1,2,3\n", ["two columns are called 'a'", "a name of its own"]),
        ("a,b,y\n", ["holds no row", "bad.csv"]),
        ("a,b,z\n1,2,3\n", ["no column 'y'", "a, b, z"]),
        ("a,b,y\n1,2\n", ["row 0 (line 2)", "2 values for 3 columns"]),
    ] {
        here.text("bad.csv", text);
        here.refuse(words, &parts);
    }
    here.refuse(
        "predict --arch mlp.toml --train t.csv:y --test t.csv:all,y",
        &["'y' means nothing for a table", "FILE:all,COLUMN"],
    );
}

#[test]
fn columns_of_few_whole_numbers_or_texts_are_classes() {
    let here = playground();
    here.text(
        "c.csv",
        "\u{feff},a,b,label\n0,1,0.1,cat\n1,0,0.2,dog\n2,0.9,0.1,cat\n3,0.1,0.3,dog\n4,0.8,0.2,cat\n5,0,0,dog\n",
    );
    let words = "predict --arch mlp.toml --backend reference";
    let output = here
        .ekernel(&format!("{words} --train c.csv:all,label --test c.csv:all,label --json"))
        .output()
        .unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["classes"], serde_json::json!(["cat", "dog"]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("column 1 without a name is an index"), "{said}");
    let text = here.succeed(&format!("{words} --train c.csv:all,label --test c.csv:all,label"));
    assert!(text.contains("the test samples are the training samples"), "{text}");
    here.text("d.csv", "1\t0.1\t0\n0\t0.2\t1\n0.9\t0.1\t0\n0.1\t0.3\t1\n0.8\t0.2\t0\n0\t0\t1\n");
    let output = here.ekernel(&format!("{words} --train d.csv:all,2 --test d.csv:0..4,2")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("2 different whole numbers, taken for classes; --targets values"), "{said}");
    let values = here.json(&format!("{words} --train d.csv:all,2 --test d.csv:0..4,2 --targets values"));
    assert!(values["classes"].is_null(), "{values}");
    assert!(values["networks"][0]["labels"][0]["auc"].as_f64().unwrap() > 0.99, "{values}");
}
