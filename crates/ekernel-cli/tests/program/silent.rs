//! What would give a wrong value without a word is refused or said.

use ndarray::{Array1, Array2, Array4, array};

use crate::support::{ARCH, MOLECULE_ARCH, Playground, images, read};

/// A folder of eight-bit images with one sub-folder for each class: `path/CLASS/N.png`.
fn folder(here: &Playground, name: &str, classes: &[&str], extension: &str) {
    for (class, class_name) in classes.iter().enumerate() {
        let path = here.path(name).join(class_name);
        std::fs::create_dir_all(&path).unwrap();
        for n in 0..2u32 {
            let pixel = |x: u32, y: u32| image::Luma([(37 * class as u32 + 11 * x + 5 * y + n) as u8]);
            image::GrayImage::from_fn(5, 5, pixel).save(path.join(format!("{n}.{extension}"))).unwrap();
        }
    }
}

/// Folders 0, 1, …, 11 are sorted as 0, 1, 10, 11, 2, …; labels are numbers.
#[test]
fn labels_that_are_numbers_match_folders_called_by_numbers() {
    let here = Playground::new();
    let names: Vec<String> = (0..12).map(|class: usize| class.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    folder(&here, "folder", &names, "png");
    let (mut x, mut y) = (Array4::<u8>::zeros((24, 5, 5, 1)), Array1::<i64>::zeros(24));
    for class in 0..12 {
        for n in 0..2 {
            y[2 * class + n] = class as i64;
            for (row, column) in (0..25).map(|i| (i / 5, i % 5)) {
                x[[2 * class + n, row, column, 0]] = (37 * class + 11 * column + 5 * row + n) as u8;
            }
        }
    }
    here.arrays("numbers.npz", &[("x", (&x).into()), ("y", (&y).into())]);
    let words = "predict --arch net.toml --backend reference --quiet --ridge 1e-6";
    for (train, test) in [("numbers.npz:x,y", "folder"), ("folder", "numbers.npz:x,y")] {
        let found = here.json(&format!("{words} --train {train} --test {test}"));
        assert_eq!(found["networks"][0]["accuracy"], 1.0, "{found}");
    }
    folder(&here, "words", &["cat", "dog"], "png");
    here.refuse(
        &format!("{words} --train numbers.npz:x,y --test words"),
        &["'cat'", "numbers in both, or names in both"],
    );
}

#[test]
fn classes_that_are_never_trained_are_named() {
    let here = Playground::new();
    let from_one: Array1<i64> = (0..12).map(|i| 1 + i % 3).collect();
    let x = images(12);
    here.arrays("one.npz", &[("x", (&x).into()), ("y", (&from_one).into())]);
    let words = "predict --arch net.toml --backend reference --train one.npz:x,y --test data.npz:x,y";
    let said = String::from_utf8(here.ekernel(words).output().unwrap().stderr).unwrap();
    assert!(said.contains("class 0 has no training sample") && said.contains("begin at 1"), "{said}");
}

/// Integers are classes by their type; years and counts are integers too.
#[test]
fn integers_that_may_be_numbers_are_questioned_once() {
    let here = Playground::new();
    let x = images(120);
    let years: Array1<i64> = (0..120).map(|i| 1950 + i % 40).collect();
    let few: Array1<i64> = (0..120).map(|i| i % 10).collect();
    let tested: Array1<i64> = (0..12).collect::<Array1<i64>>().mapv(|i| i % 10);
    let t = images(12);
    here.arrays(
        "years.npz",
        &[
            ("x", (&x).into()),
            ("years", (&years).into()),
            ("few", (&few).into()),
            ("t", (&t).into()),
            ("tested", (&tested).into()),
        ],
    );
    let said = |words: &str| {
        let output =
            here.ekernel(&format!("predict --arch net.toml --backend cpu {words}")).output().unwrap();
        let [notes, text] = [output.stderr, output.stdout].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success(), "{notes}");
        (notes, text)
    };
    let (notes, text) = said("--train years.npz:x,years --test years.npz:x,years");
    let note = "--train: years.npz:years: 40 different integers are taken for classes (--targets classes says so); \
                --targets values takes them for values";
    assert_eq!(notes.matches("different integers").count(), 1, "{notes}");
    assert!(notes.contains(note), "{notes}");
    assert!(
        text.contains("shape [5, 5, 1], 40 classes") && text.contains("(40 classes: the confusion"),
        "{text}"
    );
    for words in ["years --targets classes", "years --targets values", "few"] {
        let (notes, _) = said(&format!("--train years.npz:x,{words} --test years.npz:x --out p.npz"));
        assert!(!notes.contains("taken for"), "{words}: {notes}");
    }
    // Of few test samples most classes occur once.
    let (notes, _) = said("--train years.npz:x,few --test years.npz:t,tested");
    assert!(!notes.contains("taken for"), "{notes}");
}

#[test]
fn minus_one_and_one_are_two_classes() {
    let here = Playground::new();
    let x = images(12);
    let zero: Array1<i64> = (0..12).map(|i| i % 2).collect();
    let signs = zero.mapv(|label| 2 * label - 1);
    let floats = signs.mapv(|label| label as f64);
    let wrong = signs.mapv(|label| label - 1);
    let ones: Array1<i64> = Array1::ones(12);
    here.arrays(
        "signs.npz",
        &[
            ("x", (&x).into()),
            ("zero", (&zero).into()),
            ("signs", (&signs).into()),
            ("floats", (&floats).into()),
            ("wrong", (&wrong).into()),
            ("ones", (&ones).into()),
        ],
    );
    let words = |train: &str, test: &str| {
        format!(
            "predict --arch net.toml --backend reference --quiet --train signs.npz:x,{train} --test signs.npz:x,{test}"
        )
    };
    let known = here.json(&words("zero", "zero"));
    for (train, test) in [("signs", "signs"), ("floats", "floats --targets classes")] {
        let found = here.json(&words(train, test));
        assert_eq!(found["networks"][0]["confusion"], known["networks"][0]["confusion"], "{train}");
        assert_eq!(found["classes"], serde_json::json!(["-1", "1"]));
    }
    // A test set of the second class alone.
    let ones = here.json(&words("signs", "ones"));
    assert_eq!(ones["networks"][0]["confusion"][0], serde_json::json!([0, 0]), "{ones}");
    here.refuse(&words("wrong", "wrong"), &["the label -2", "numpy.unique", "--targets values"]);
}

/// Kernels are squares, which underflow where samples are tiny.
#[test]
fn samples_whose_kernel_would_be_zero_are_refused() {
    let here = Playground::new();
    let x = images(12).mapv(|x| 1e-170 * x);
    let mut mixed = images(12);
    mixed.index_axis_mut(ndarray::Axis(0), 3).mapv_inplace(|x| 1e-170 * x);
    here.arrays("tiny.npz", &[("x", (&x).into()), ("mixed", (&mixed).into())]);
    for backend in ["reference", "cpu", "cpu --precision f64"] {
        for (key, sample) in [("x", "sample 0"), ("mixed", "sample 3")] {
            here.refuse(
                &format!("gram net.toml --x1 tiny.npz:{key} --backend {backend} --quiet --out k.npz"),
                &["tiny.npz", sample, "e-170", "rescale the data"],
            );
        }
    }
}

/// The font of PNGs has no Chinese letters; a browser that shows an SVG has.
#[test]
fn names_in_other_letters_are_noted() {
    let here = Playground::new();
    folder(&here, "cjk", &["\u{732b}", "\u{72ac}"], "png");
    let words = "predict --arch net.toml --backend reference --train cjk --test cjk --plot";
    let said = |file: &str| {
        let output = here.ekernel(&format!("{words} {file}")).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let note = said("p.png");
    assert!(note.contains("'\u{72ac}' as 'Quan'") && note.contains(".svg shows them"), "{note}");
    assert!(!said("p.svg").contains("Latin"), "{note}");
}

#[test]
fn test_samples_that_are_training_samples_are_counted() {
    let here = Playground::new();
    let words =
        "predict --arch net.toml --backend reference --quiet --train data.npz:x[0:8],y --test data.npz:";
    for (test, said) in [
        (
            "x[6:12],y",
            "2 of 6 test samples are training samples too: of these, scores say how well they are fitted",
        ),
        ("x[7:12],y", "1 of 5 test samples is a training sample too"),
        ("x[2:6],y", "4 of 4 test samples are training samples too"),
        ("x[0:8],y", "the test samples are the training samples: scores"),
    ] {
        let text = here.succeed(&format!("{words}{test}"));
        assert!(text.contains(said), "{text}");
    }
    assert!(!here.succeed(&format!("{words}x[8:],y")).contains("training samples too"));
}

/// uint8 is x/255, integers and floats are what they are.
#[test]
fn sets_of_different_scales_are_refused() {
    let here = Playground::new();
    let bytes = images(12).mapv(|x| (200.0 * x) as u8);
    let (ints, floats) = (bytes.mapv(i64::from), bytes.mapv(f64::from));
    let y: Array1<i64> = (0..12).map(|i| i % 3).collect();
    here.arrays(
        "scale.npz",
        &[("b", (&bytes).into()), ("i", (&ints).into()), ("f", (&floats).into()), ("y", (&y).into())],
    );
    let words = "predict --arch net.toml --backend reference --quiet";
    for (train, test) in [("b", "i"), ("f", "b"), ("b", "f")] {
        let parts = [&format!("scale.npz:{train},y")[..], "uint8", "x/255", "--normalize"];
        here.refuse(&format!("{words} --train scale.npz:{train},y --test scale.npz:{test},y"), &parts);
        here.refuse(
            &format!("gram --arch net.toml --x1 scale.npz:{train} --x2 scale.npz:{test} --out k.npz"),
            &["uint8", "--normalize"],
        );
    }
    here.succeed(&format!("{words} --train scale.npz:i,y --test scale.npz:f,y"));
    here.succeed(&format!("{words} --train scale.npz:b,y --test scale.npz:i,y --normalize per-image"));
}

/// Without centring a large ridge draws predictions to zero, with it to the mean.
#[test]
fn targets_are_centred_or_not_as_asked_and_it_is_said() {
    let here = Playground::new();
    let v: Array1<f64> = (0..12).map(|i| 100.0 + (i as f64).sin()).collect();
    let x = images(12);
    here.arrays("far.npz", &[("x", (&x).into()), ("v", (&v).into())]);
    let words = "predict --arch net.toml --backend reference --quiet --train far.npz:x,v --test far.npz:x,v";
    for (center, said, limit) in [
        ("", "targets without their training mean", 100.0),
        (" --center mean", "targets without their training mean", 100.0),
        (" --center none", "targets as they are", 0.0),
    ] {
        let text = here.succeed(&format!("{words} --ridge 1e9{center} --out p.npz"));
        assert!(text.contains(said), "{text}");
        for mean in read(&here.path("p.npz"), "mean") {
            assert!((mean - limit).abs() < 1.0, "{center}: {mean}");
        }
        let found = here.json(&format!("{words}{center}"));
        assert_eq!(found["center"], if limit == 0.0 { "none" } else { "mean" });
    }
    let search = here.json(&format!("{words} --center none --ridge auto"));
    assert!(search["networks"][0]["mae"].as_f64().unwrap() < 1.0, "{search}");
}

#[test]
fn files_that_are_passed_over_are_counted() {
    let here = Playground::new();
    folder(&here, "mixed", &["a", "b"], "png");
    folder(&here, "mixed", &["a", "b"], "bmp");
    for name in ["0.webm", "1.gif", "2.gif"] {
        here.text(&format!("mixed/a/{name}"), "");
    }
    // Grey BMPs hold palettes, and palettes are colours.
    let words = "gram --arch net.toml --x1 mixed --backend reference --out k.npz";
    here.refuse(&format!("{words} --quiet"), &["[5, 5, 1]", "--color grey"]);
    let words = &format!("{words} --color grey");
    let said = String::from_utf8(here.ekernel(words).output().unwrap().stderr).unwrap();
    assert!(said.contains("--x1: passed over: 2 .gif, 1 .webm"), "{said}");
    assert_eq!(read(&here.path("k.npz"), "nngp").dim(), (8, 8));
}

#[test]
fn a_crystal_is_no_molecule() {
    let here = Playground::new();
    here.text("mol.toml", MOLECULE_ARCH);
    let water = |comment: &str| format!("3\n{comment}\nO 0 0 0\nH 0 0.8 0.6\nH 0 -0.8 0.6\n");
    let gram = "gram --arch mol.toml --x1 cell.xyz --backend reference --quiet --out k.npz";
    for comment in [
        "Lattice=\"5 0 0 0 5 0 0 0 5\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"",
        "Lattice=\"5 0 0 0 5 0 0 0 5\"",
        "pbc=\"F F T\"",
    ] {
        here.text("cell.xyz", &water(comment));
        here.refuse(gram, &["cell.xyz", "line 2", "crystal", "isolated"]);
    }
    here.text("cell.xyz", &water("Lattice=\"5 0 0 0 5 0 0 0 5\" pbc=\"F F F\""));
    here.succeed(gram);
}

/// Where an erf network is certain, rounding takes variances below zero.
#[test]
fn no_variance_is_negative() {
    let here = Playground::new();
    let arch = "[input]\nspace = \"vector\"\nshape = [2]\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"erf\"\n[[layers]]\nop = \"dense\"\n";
    here.text("erf.toml", arch);
    let x = Array2::from_shape_fn((40, 2), |(i, j)| ((5 * i + 3 * j) as f64).sin());
    let v: Array1<f64> = x.rows().into_iter().map(|row| row[0] * row[1]).collect();
    here.arrays("x.npz", &[("x", (&x).into()), ("v", (&v).into())]);
    for kind in ["ntk", "nngp"] {
        here.succeed(&format!(
            "predict --arch erf.toml --train x.npz:x,v --test x.npz:x --kind {kind} --cov --ridge 1e-12 --backend cpu \
             --precision f64 --quiet --out p.npz"
        ));
        let cov = read(&here.path("p.npz"), "cov");
        assert!(cov.diag().iter().all(|variance| *variance >= 0.0), "{kind}: {:?}", cov.diag());
    }
}

#[test]
fn energies_in_electronvolts_are_not_taken_for_hartree() {
    let here = Playground::new();
    here.text("mol.toml", MOLECULE_ARCH);
    let energies: Array1<f64> = (0..6).map(|i| -76.4 + 0.01 * f64::from(i)).collect();
    let charges = Array2::from_shape_fn((6, 3), |(_, atom)| if atom == 0 { 8i64 } else { 1 });
    let positions = ndarray::Array3::from_shape_fn((6, 3, 3), |(i, atom, axis)| {
        let base = array![[0.0, 0.0, 0.0], [0.0, 0.8, 0.6], [0.0, -0.8, 0.6]];
        base[[atom, axis]] + 0.01 * ((i + atom * axis) as f64).sin()
    });
    for (factor, refused) in
        [(1.0, None), (27.2114, Some("--unit ev")), (627.509, Some("--unit kcal-per-mol"))]
    {
        let u0 = &energies * factor;
        here.arrays(
            "m.npz",
            &[("positions", (&positions).into()), ("charges", (&charges).into()), ("U0", (&u0).into())],
        );
        let words =
            "predict --arch mol.toml --train m.npz:0..4,U0 --test m.npz:4..6,U0 --backend reference --quiet";
        match refused {
            None => here.succeed(words),
            Some(said) => here.refuse(words, &["U0", "Hartree", said]),
        };
        here.succeed(&format!("{words} --unit ev"));
    }
}

/// A training set of grey images and a test set of colours.
#[test]
fn grey_and_colours_are_read_alike_with_an_option() {
    let here = Playground::new();
    folder(&here, "grey", &["a", "b"], "png");
    folder(&here, "palettes", &["a", "b"], "bmp");
    let words = "predict --arch net.toml --backend reference --quiet --train grey --test palettes";
    here.refuse(words, &["[5, 5, 1]", "[5, 5, 3]", "--color grey"]);
    here.succeed(&format!("{words} --color grey"));
}

/// Files of a folder by class and name, molecules by their names, others by their rows, also where some are drawn.
#[test]
fn predictions_say_which_sample_they_are_of() {
    let here = Playground::new();
    folder(&here, "folder", &["a", "b"], "png");
    let words = "predict --arch net.toml --backend reference --quiet --out p.npz --train folder --test";
    let names = || -> Vec<String> {
        let array = ekernel_data::NpzFile::open(here.path("p.npz").as_path()).unwrap().read("names").unwrap();
        let ekernel_data::NpyArray::Texts(names) = array else { panic!("names are texts") };
        names.into_iter().collect()
    };
    here.succeed(&format!("{words} folder"));
    assert_eq!(names(), ["a/0.png", "a/1.png", "b/0.png", "b/1.png"]);
    here.succeed(&format!("{words} data.npz:x"));
    assert_eq!(names()[11], "11");
    here.succeed(&format!("{words} data.npz:x --max-test 3"));
    let drawn: Vec<usize> = names().iter().map(|name| name.parse().unwrap()).collect();
    assert!(drawn.len() == 3 && drawn.is_sorted() && drawn[2] < 12, "{drawn:?}");
}

#[test]
fn targets_are_classes_or_values_as_said() {
    let here = Playground::new();
    let x = images(12);
    let hot = Array2::from_shape_fn((12, 3), |(i, class)| f64::from(u8::from(i % 3 == class)));
    let whole: Array1<f64> = (0..12).map(|i| f64::from(i % 3)).collect();
    let years: Array1<i64> = (0..12).map(|i| 1950 + i).collect();
    let many = Array2::from_shape_fn((12, 3), |(i, label)| ((i + label) % 2) as i64);
    here.arrays(
        "t.npz",
        &[
            ("x", (&x).into()),
            ("hot", (&hot).into()),
            ("whole", (&whole).into()),
            ("years", (&years).into()),
            ("many", (&many).into()),
        ],
    );
    let words = |y: &str| {
        format!("predict --arch net.toml --backend reference --train t.npz:x,{y} --test t.npz:x,{y}")
    };
    for y in ["hot", "whole"] {
        let said = String::from_utf8(here.ekernel(&words(y)).output().unwrap().stderr).unwrap();
        assert!(said.contains("--targets classes"), "{said}");
        let found = here.json(&format!("{} --quiet --targets classes", words(y)));
        assert_eq!(found["networks"][0]["accuracy"], 1.0, "{found}");
    }
    let found = here.json(&format!("{} --quiet --targets values", words("years")));
    assert!(found["networks"][0]["rmse"].is_number() && found["classes"].is_null(), "{found}");
    let line = here.refuse(&words("many"), &["t.npz:many", "--targets values"]);
    assert!(!line.contains("argmax"), "{line}");
    here.succeed(&format!("{} --targets values", words("many")));
    here.refuse(
        &format!("{} --targets classes", words("v")).replace("t.npz", "data.npz"),
        &["does not hold classes"],
    );
}

/// Products of two variances of such samples leave the range of float64: the NNGP was 0 where the NTK was not.
#[test]
fn kernels_of_the_smallest_samples_are_those_of_larger_ones() {
    let here = Playground::new();
    let x = images(5) - 0.4;
    let v = Array2::from_shape_fn((5, 4), |(i, j)| ((3 * i + j) as f64).sin());
    here.arrays(
        "small.npz",
        &[
            ("x", (&(&x * 1e-30)).into()),
            ("xs", (&(&x * 1e-82)).into()),
            ("v", (&(&v * 1e-30)).into()),
            ("vs", (&(&v * 1e-82)).into()),
        ],
    );
    let smooth = "[input]\nspace = \"vector\"\nshape = [4]\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"erf\"\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"gelu\"\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"relu\"\n[[layers]]\nop = \"dense\"\n";
    here.text("smooth.toml", smooth);
    for backend in ["reference", "cpu", "cpu --precision f64"] {
        for (arch, key) in [("net.toml", "x"), ("smooth.toml", "v")] {
            let gram = |key: &str| {
                here.succeed(&format!(
                    "gram {arch} --x1 small.npz:{key} --backend {backend} --quiet --out k.npz"
                ));
                ["nngp", "ntk"].map(|kernel| read(&here.path("k.npz"), kernel))
            };
            let (plain, small) = (gram(key), gram(&format!("{key}s")));
            for (plain, small) in plain.iter().zip(&small) {
                let largest = plain.iter().fold(0.0f64, |most, x| most.max(x.abs()));
                assert!(largest > 0.0);
                let off = (small / 1e-104 - plain).iter().fold(0.0f64, |most, x| most.max(x.abs()));
                assert!(off < 1e-12 * largest, "{backend} {arch}: {small} {plain}");
            }
        }
    }
}

#[test]
fn advice_names_the_option_that_follows_it() {
    let here = Playground::new();
    folder(&here, "images", &["a", "b"], "png");
    here.text("small.toml", &ARCH.replace("shape = [5, 5, 1]", "shape = [4, 3, 3]"));
    let gram = "gram small.toml --backend reference --quiet --out k.npz --x1";
    here.refuse(
        &format!("{gram} images"),
        &["[4, 3, 3]", "--resize 4x3 --color rgb reads the images of the folder so"],
    );
    here.succeed(&format!("{gram} images --resize 4x3 --color rgb"));
    let arrays = here.refuse(&format!("{gram} data.npz:x"), &["[4, 3, 3]"]);
    assert!(!arrays.contains("--resize"), "{arrays}");
    folder(&here, "sizes", &["a", "b"], "png");
    image::GrayImage::new(7, 5).save(here.path("sizes/a/wide.png")).unwrap();
    let words = "gram net.toml --x1 sizes --backend reference --quiet --out k.npz";
    here.refuse(words, &["differ in size", "--resize HEIGHTxWIDTH"]);
    here.succeed(&format!("{words} --resize 5x5"));
}

#[test]
fn plots_name_classes_in_any_script() {
    let here = Playground::new();
    folder(&here, "scripts", &["猫", "Öl", "собака"], "png");
    let words = "predict --arch net.toml --backend reference --quiet --train scripts --test scripts";
    here.succeed(&format!("{words} --plot c.svg"));
    assert!(std::fs::read_to_string(here.path("c.svg")).unwrap().contains("猫"));
    here.succeed(&format!("{words} --plot c.png"));
    let svg = std::fs::read_to_string(here.path("c.svg")).unwrap();
    let (width, height) = image::image_dimensions(here.path("c.png")).unwrap();
    // Twice the size of the drawing, for letters that are even and sharp.
    assert!(svg.contains(&format!("width=\"{}\" height=\"{}\"", width / 2, height / 2)), "{width} {height}");
}
