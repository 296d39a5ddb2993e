//! Files as other programs write them.

use std::fs::File;
use std::path::Path;

use ekernel_core::Samples;
use ekernel_data::{
    Color, DataError, ReadOptions, Source, TargetKind, Targets, read_dataset, read_molecules, read_samples,
    write_npz,
};
use ndarray::{Array2, Array3, Array4, array};
use tiff::encoder::{TiffEncoder, colortype};

fn samples(path: &Path, options: &ReadOptions) -> Result<Samples, DataError> {
    read_samples(&Source::file(path), options)
}

/// Grey TIFFs of floats and signed integers keep their values, whatever their range.
#[test]
fn grey_tiffs_of_numbers_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let values = [-300.0, 0.0, 1.5, 7.0, 250.0, 2000.0];
    let create = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        (TiffEncoder::new(File::create(path.join("a.tif")).unwrap()).unwrap(), path)
    };
    let (mut file, f32s) = create("f32");
    file.write_image::<colortype::Gray32Float>(3, 2, &values.map(|x| x as f32)).unwrap();
    let (mut file, f64s) = create("f64");
    file.write_image::<colortype::Gray64Float>(3, 2, &values).unwrap();
    let (mut file, i16s) = create("i16");
    file.write_image::<colortype::GrayI16>(3, 2, &values.map(|x| x as i16)).unwrap();
    for (path, whole) in [(f32s, false), (f64s, false), (i16s, true)] {
        let wanted = Array4::from_shape_fn((1, 2, 3, 1), |(_, y, x, _)| {
            let value: f64 = values[3 * y + x];
            if whole { value.trunc() } else { value }
        });
        assert_eq!(
            samples(&path, &ReadOptions::default()).unwrap(),
            Samples::Images(wanted.clone()),
            "{path:?}"
        );
        let rgb = ReadOptions { color: Color::Rgb, ..ReadOptions::default() };
        let Samples::Images(images) = samples(&path, &rgb).unwrap() else { panic!("images expected") };
        assert_eq!(images.slice(ndarray::s![.., .., .., 2..]), wanted);
        // Resized without being cut off: the mean stays.
        let half = ReadOptions { image_size: Some((4, 6)), ..ReadOptions::default() };
        let Samples::Images(images) = samples(&path, &half).unwrap() else { panic!("images expected") };
        assert!((images.mean().unwrap() - wanted.mean().unwrap()).abs() < 1e-3 * 2300.0);
        assert!(images.iter().any(|x| *x > 1000.0) && images.iter().any(|x| *x < -100.0));
    }
}

/// Integers of 32 and 64 bits are numbers too; what no decoder reads is said with a way forward.
#[test]
fn tiffs_of_long_integers_are_read_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, write: &dyn Fn(&mut TiffEncoder<File>)| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        write(&mut TiffEncoder::new(File::create(path.join("a.tif")).unwrap()).unwrap());
        samples(&path, &ReadOptions::default())
    };
    let values = [0u32, 1, 255, 65_536, 4_000_000_000, 7];
    let wanted = Array4::from_shape_fn((1, 2, 3, 1), |(_, y, x, _)| f64::from(values[3 * y + x]));
    let wanted = Samples::Images(wanted);
    let long = values.map(u64::from);
    let found = write("u32", &|file| file.write_image::<colortype::Gray32>(3, 2, &values).unwrap());
    assert_eq!(found.unwrap(), wanted);
    let found = write("u64", &|file| file.write_image::<colortype::Gray64>(3, 2, &long).unwrap());
    assert_eq!(found.unwrap(), wanted);
    let beyond = [(1u64 << 53) + 1; 6];
    let refused = write("beyond", &|file| file.write_image::<colortype::Gray64>(3, 2, &beyond).unwrap());
    assert!(refused.unwrap_err().to_string().contains("beyond ±2^53"));
    let colours = [1u32; 18];
    let refused = write("rgb", &|file| file.write_image::<colortype::RGB32>(3, 2, &colours).unwrap());
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.contains("of a form that is not read") && refused.contains("save it as PNG"),
        "{refused}"
    );
}

#[test]
fn folders_of_stl_10_are_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (part, count) in [("train", 2), ("test", 1)] {
        std::fs::write(at(&format!("{part}_X.bin")), vec![51; count * 27_648]).unwrap();
        std::fs::write(at(&format!("{part}_y.bin")), vec![3; count]).unwrap();
    }
    let read = |words: String| read_dataset(&Source::parse(&words).unwrap(), &ReadOptions::default());
    for (part, count) in [("train", 2), ("test", 1)] {
        for words in [
            format!("{}:{part}", folder.path().display()),
            at(&format!("{part}_X.bin")).display().to_string(),
        ] {
            let set = read(words).unwrap();
            assert_eq!(set.samples, Samples::Images(Array4::from_elem((count, 96, 96, 3), 0.2)));
            assert!(matches!(set.targets, Some(Targets::Classes { labels, .. }) if labels == vec![2; count]));
        }
    }
    let whole = read(folder.path().display().to_string()).unwrap_err().to_string();
    assert!(whole.contains("holds train, test; say which to read"), "{whole}");
}

#[cfg(unix)]
#[test]
fn links_to_nothing_are_said() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/nowhere/x.png", folder.path().join("a.png")).unwrap();
    let message = samples(folder.path(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("a link to /nowhere/x.png, which does not exist"), "{message}");
}

/// Frames of one molecule (MD17, rMD17), and atoms behind each other (DimeNet), under the names of those files.
#[test]
fn molecules_of_usual_files_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let water = array![[0.0, 0.0, 0.0], [0.0, 0.8, 0.6], [0.0, -0.8, 0.6]];
    let frames = Array3::from_shape_fn((2, 3, 3), |(i, atom, axis)| water[(atom, axis)] + 0.01 * i as f64);
    let flat = frames.clone().into_shape_with_order((6, 3)).unwrap();
    let (row, padded) = (array![8i64, 1, 1], Array2::from_shape_fn((2, 3), |(_, atom)| [8i64, 1, 1][atom]));
    let all = array![8i64, 1, 1, 8, 1, 1];
    let counts = array![3i64, 3];
    write_npz(&at("plain.npz"), &[("charges", (&padded).into()), ("positions", (&frames).into())]).unwrap();
    write_npz(&at("md17.npz"), &[("z", (&row).into()), ("R", (&frames).into())]).unwrap();
    write_npz(&at("rmd17.npz"), &[("nuclear_charges", (&row).into()), ("coords", (&frames).into())]).unwrap();
    let arrays = [("Z", (&all).into()), ("R", (&flat).into()), ("N", (&counts).into())];
    write_npz(&at("dimenet.npz"), &arrays).unwrap();
    let read = |name: &str| read_molecules(&Source::parse(&format!("{}:all", at(name).display())).unwrap());
    let plain = read("plain.npz").unwrap();
    for name in ["md17.npz", "rmd17.npz", "dimenet.npz"] {
        let found = read(name).unwrap();
        assert_eq!((&found.charges, &found.positions), (&plain.charges, &plain.positions), "{name}");
    }
    let wrong = array![3i64, 4];
    let arrays = [("Z", (&all).into()), ("R", (&flat).into()), ("N", (&wrong).into())];
    write_npz(&at("wrong.npz"), &arrays).unwrap();
    assert!(read("wrong.npz").unwrap_err().to_string().contains("whose sum is that of all atoms"));
}

#[test]
fn tables_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a;b;y\r\n1;2;0.5\r\n3;4;1.5\r\n").unwrap();
    let words = format!("{}:1..2,y", path.display());
    let set = read_dataset(&Source::parse(&words).unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!(set.samples, Samples::Vectors(array![[3.0, 4.0]]));
    assert_eq!(set.targets, Some(Targets::Regression(array![[1.5]])));
    assert_eq!(set.names, Some(vec!["1".to_owned()]));
    assert_eq!(set.features, Some(vec!["a".to_owned(), "b".to_owned()]));
    let noisy = format!("{}:all,y,b", path.display());
    let set = read_dataset(&Source::parse(&noisy).unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!(set.samples, Samples::Vectors(array![[1.0], [3.0]]));
    assert_eq!(set.noise, Some(array![2.0, 4.0]));
    let both = format!("{}:all,y+b", path.display());
    let set = read_dataset(&Source::parse(&both).unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!(set.targets, Some(Targets::Regression(array![[0.5, 2.0], [1.5, 4.0]])));
    assert_eq!(set.target_columns, ["y", "b"]);
    let whole = ReadOptions { targets: TargetKind::Classes, ..ReadOptions::default() };
    let words = format!("{}:all,a", path.display());
    let set = read_dataset(&Source::parse(&words).unwrap(), &whole).unwrap();
    assert!(matches!(set.targets, Some(Targets::Classes { n_classes: 4, .. })), "{set:?}");
}
