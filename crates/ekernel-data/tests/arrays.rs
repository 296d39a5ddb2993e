//! Arrays as numpy writes them: what is read, and what is said about those that are not.

use std::path::PathBuf;

use ekernel_core::Samples;
use ekernel_data::{DataError, NpyArray, NpzFile, ReadOptions, Source, Targets};
use ekernel_data::{read_dataset, read_labels, read_samples};
use ndarray::{Array4, array};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn source(words: &str) -> Source {
    Source::parse(fixture("").join(words).to_str().unwrap()).unwrap()
}

fn samples(words: &str) -> Result<Samples, DataError> {
    read_samples(&source(words), &ReadOptions::default())
}

fn labels(words: &str) -> Result<Targets, DataError> {
    read_labels(&source(words), &ReadOptions::default())
}

/// The bytes of the array x, (4, 3, 2, 3) in C order.
fn expected(divisor: f64) -> Array4<f64> {
    let text = std::fs::read_to_string(fixture("expected.txt")).unwrap();
    let values = text.split_whitespace().map(|value| value.parse::<f64>().unwrap() / divisor).collect();
    Array4::from_shape_vec((4, 3, 2, 3), values).unwrap()
}

fn classes(labels: &[usize], names: &[&str], numbered: bool) -> Targets {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Targets::Classes { labels: labels.to_vec(), n_classes: names.len(), names: Some(names), numbered }
}

#[test]
fn images_in_every_order_and_type() {
    for words in ["compressed.npz:x", "stored.npz:x"] {
        assert_eq!(samples(words).unwrap(), Samples::Images(expected(255.0)), "{words}");
    }
    for words in [
        "compressed.npz:float32",
        "compressed.npz:float64",
        "compressed.npz:fortran",
        "compressed.npz:big_endian",
        "fortran.npy",
        "float64.npy",
    ] {
        assert_eq!(samples(words).unwrap(), Samples::Images(expected(4.0)), "{words}");
    }
    let Samples::Images(grey) = samples("compressed.npz:grey").unwrap() else { panic!("images expected") };
    assert_eq!(grey, expected(255.0).slice_move(ndarray::s![.., .., .., ..1]));
}

#[test]
fn integers_of_every_width() {
    let mut file = NpzFile::open(&fixture("compressed.npz")).unwrap();
    for (key, low, high) in [
        ("int8", -128, 127),
        ("uint16", 0, 65535),
        ("int16", -32768, 32767),
        ("uint32", 0, 4294967295),
        ("int32", -2147483648, 2147483647),
        ("uint64", 0, i64::MAX),
        ("int64", i64::MIN, i64::MAX),
    ] {
        assert_eq!(file.read(key).unwrap(), NpyArray::Integers(array![[low, high]].into_dyn()), "{key}");
    }
    assert_eq!(samples("compressed.npz:bool").unwrap(), Samples::Vectors(array![[1.0, 0.0]]));
    let words = array!["zebra", "ant", "zebra", "ü"].mapv(str::to_owned).into_dyn();
    assert_eq!(file.read("unicode").unwrap(), NpyArray::Texts(words.clone()));
    assert_eq!(file.read("unicode_big_endian").unwrap(), NpyArray::Texts(words));
}

#[test]
fn targets_beside_their_samples() {
    let data = read_dataset(&source("compressed.npz:x,y"), &ReadOptions::default()).unwrap();
    assert_eq!(data.samples, Samples::Images(expected(255.0)));
    assert_eq!(data.targets, Some(classes(&[2, 0, 1, 2], &["red", "green", "blue"], true)));
    assert_eq!(
        labels("stored.npz:x,y").unwrap(),
        Targets::Classes { labels: vec![2, 0, 1, 2], n_classes: 3, names: None, numbered: true }
    );
    assert_eq!(
        labels("compressed.npz:x,labels_column").unwrap(),
        classes(&[2, 0, 1, 2], &["red", "green", "blue"], true)
    );
    assert_eq!(
        labels("compressed.npz:x,bytes").unwrap(),
        classes(&[2, 0, 2, 1], &["ant", "u", "zebra"], false)
    );
    assert_eq!(
        labels("compressed.npz:x,regression").unwrap(),
        Targets::Regression(array![[0.5], [-1.0], [2.0], [0.0]])
    );
    let pair = format!("float64.npy,{}", fixture("y.npy").display());
    let data = read_dataset(&source(&pair), &ReadOptions::default()).unwrap();
    assert_eq!(data.samples, Samples::Images(expected(4.0)));
    assert_eq!(data.targets.unwrap().len(), 4);
}

#[test]
fn the_only_array_needs_no_name() {
    assert_eq!(samples("one.npz").unwrap().len(), 4);
    let message = samples("stored.npz").unwrap_err().to_string();
    assert!(message.contains("holds x, y; say which to read"), "{message}");
}

#[test]
fn wrong_names_are_met_with_the_nearest() {
    let message = samples("compresed.npz:x").unwrap_err().to_string();
    assert!(
        message.ends_with("compresed.npz does not exist; that folder holds 'compressed.npz'"),
        "{message}"
    );
    let message = samples("compressed.npz:clas_names").unwrap_err().to_string();
    assert!(message.contains("has no array 'clas_names'; it holds class_names, "), "{message}");
    assert!(matches!(samples("float64.npy:x"), Err(DataError::KeyNotUsed { .. })));
    assert!(matches!(
        read_dataset(&source("float64.npy:x,y"), &ReadOptions::default()),
        Err(DataError::KeyNotUsed { .. })
    ));
    assert!(matches!(labels("stored.npz:x"), Err(DataError::NoTargets { .. })));
    let message = samples("qm9.csv").unwrap_err().to_string();
    assert!(message.contains("row 0 (line 2)") && message.contains("space = \"molecule\""), "{message}");
    assert!(matches!(samples("make.py"), Err(DataError::UnknownFormat { .. })));
    assert!(matches!(samples("images/a_tumour/1.png"), Err(DataError::UnknownFormat { .. })));
    assert!(matches!(samples("no/folder/x.npz:x"), Err(DataError::NotFound { nearest: None, .. })));
}

#[test]
fn names_unlike_any_are_met_with_the_alphabet() {
    let message = samples("compressed.npz:qqq").unwrap_err().to_string();
    let (_, names) = message.split_once("it holds ").unwrap();
    let names: Vec<&str> = names.split(" and ").next().unwrap().split(", ").collect();
    assert!(names.len() > 5 && names.is_sorted(), "{message}");
}

#[test]
fn choices_for_folders_of_images_are_refused_elsewhere() {
    let choices = [
        (ReadOptions { image_size: Some((3, 3)), ..ReadOptions::default() }, "resizing"),
        (ReadOptions { color: ekernel_data::Color::Grey, ..ReadOptions::default() }, "color"),
        (ReadOptions { per_class: Some(2), ..ReadOptions::default() }, "per class"),
    ];
    for (options, word) in choices {
        for words in ["compressed.npz:x", "float64.npy"] {
            let message = read_dataset(&source(words), &options).unwrap_err().to_string();
            assert!(message.contains(word) && message.contains("folders of images"), "{message}");
        }
        assert!(read_dataset(&source("images"), &options).is_ok() || word != "resizing");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_no_data() {
    let message = read_samples(&Source::file("/dev/zero"), &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("it is a device"), "{message}");
}

#[test]
fn one_of_something_is_said_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.npz");
    let (x, y) = (array![[1.0, 2.0]], array![0i64, 1]);
    ekernel_data::write_npz(&path, &[("x", (&x).into()), ("y", (&y).into())]).unwrap();
    let source = Source::parse(&format!("{}:x,y", path.display())).unwrap();
    let message = read_dataset(&source, &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("holds 1 sample but"), "{message}");
}

#[test]
fn arrays_that_cannot_serve() {
    for words in ["objects.npz:x", "objects.npy"] {
        assert!(matches!(samples(words), Err(DataError::Pickled { .. })), "{words}");
    }
    for key in ["complex", "dates", "record", "unicode"] {
        let error = samples(&format!("compressed.npz:{key}")).unwrap_err();
        assert!(matches!(error, DataError::Dtype { .. }), "{key}: {error}");
    }
    assert_eq!(samples("compressed.npz:float16").unwrap(), Samples::Vectors(ndarray::array![[1.0]]));
    for key in ["scalar", "y"] {
        assert!(matches!(samples(&format!("compressed.npz:{key}")), Err(DataError::Shape { .. })), "{key}");
    }
    let message = samples("compressed.npz:nan").unwrap_err().to_string();
    assert!(
        message.ends_with("compressed.npz:nan: sample 1 holds NaN at index [0]; remove or replace it"),
        "{message}"
    );
    assert!(matches!(samples("compressed.npz:empty"), Err(DataError::Samples { .. })));
    assert!(matches!(samples("compressed.npz:uint64_large"), Err(DataError::Damaged { .. })));
    assert!(matches!(samples("compressed.npz:int64"), Err(DataError::Inexact { position: 0, .. })));
    let error = labels("compressed.npz:x,negative").unwrap_err();
    assert!(matches!(error, DataError::NegativeLabel { sample: 2, value: -1, .. }));
    let error = read_dataset(&source("compressed.npz:x,three"), &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("x holds 4 samples but"), "{error}");
    assert!(matches!(error, DataError::Lengths { n_inputs: 4, n_targets: 3, .. }));
}

#[test]
fn a_folder_named_like_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(NpzFile::open(&path), Err(DataError::Io { .. })));
    assert!(matches!(
        read_samples(&Source::file(&path), &ReadOptions::default()),
        Err(DataError::NoImages { .. })
    ));
}

/// The header of a .npy file of version 1.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn hostile_headers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        read_samples(&Source::file(&path), &ReadOptions::default())
    };
    let header = |shape: &str| format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    assert!(read(&npy(&header("(1, 1)"), &[0; 8])).is_ok());
    assert!(matches!(
        read(&npy(&header("(1, 2)"), &[0; 8])),
        Err(DataError::Length { expected: 16, found: 8, .. })
    ));
    assert!(matches!(
        read(&npy(&header("(1, 1)"), &[0; 9])),
        Err(DataError::Length { expected: 8, found: 9, .. })
    ));
    // More than memory, more than can be counted, more than any integer.
    assert!(matches!(read(&npy(&header("(1000000, 1000000)"), &[0; 8])), Err(DataError::TooLarge { .. })));
    for shape in ["(4294967296, 4294967296)", "(0, 4294967296, 4294967296)", "(99999999999999999999999, 1)"] {
        assert!(matches!(read(&npy(&header(shape), &[])), Err(DataError::Damaged { .. })), "{shape}");
    }
    let nested = "[".repeat(9000);
    for text in [
        nested.as_str(),
        &"{".repeat(9000),
        "",
        "\n",
        "[1]\n",
        "{'descr': '<f8'}\n",
        "{'descr': '<f8', 'fortran_order': 1, 'shape': (1,)}\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}\n",
    ] {
        let error = read(&npy(text, &[])).unwrap_err();
        assert!(matches!(error, DataError::Damaged { .. }), "{error}");
    }
    for descr in ["", "<", "f", "<f", "<f8x", "<U", "<U0", "<U99999999999", "|S0", "ü"] {
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}\n");
        let error = read(&npy(&text, &[])).unwrap_err();
        assert!(matches!(error, DataError::Dtype { .. } | DataError::Damaged { .. }), "{descr}: {error}");
    }
    let mut long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
    long.resize(64, b' ');
    assert!(matches!(read(&long), Err(DataError::Damaged { .. })));
    assert!(matches!(read(b"PK\x03\x04 is no array"), Err(DataError::WrongMagic { .. })));
}

#[test]
fn folders_of_parts_say_which() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test_batch.bin"), vec![1; 3073]).unwrap();
    let read = |words: &str| {
        let source = Source::parse(&format!("{}{words}", folder.path().display())).unwrap();
        read_dataset(&source, &ReadOptions::default())
    };
    assert_eq!(read(":test").unwrap().targets.unwrap().len(), 1);
    let message = read("").unwrap_err().to_string();
    assert!(message.contains("holds train, test; say which to read"), "{message}");
    assert!(matches!(read(":test,y"), Err(DataError::KeyNotUsed { .. })));
    let file = Source::file(folder.path().join("test_batch.bin"));
    assert_eq!(read_samples(&file, &ReadOptions::default()).unwrap().len(), 1);
    let with_key = Source { inputs: Some("x".to_owned()), ..file };
    assert!(matches!(read_samples(&with_key, &ReadOptions::default()), Err(DataError::KeyNotUsed { .. })));
}
