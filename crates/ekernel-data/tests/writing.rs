//! Results are there completely or not at all.

use std::fs;
use std::io::{self, Write};

use ekernel_data::{DataError, NpyArray, NpzFile, Output, Rows, write_atomically, write_npz};
use ndarray::{Array2, Array3, ArrayView2, Axis, array, aview0};

#[test]
fn what_is_written_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("K.npz");
    let kernel = Array2::from_shape_fn((3, 2), |(i, j)| (i as f64 + 0.1) / (j as f64 + 3.0));
    let single = kernel.mapv(|value| value as f32);
    let transposed = kernel.t().to_owned().reversed_axes();
    let strided = Array3::from_shape_fn((4, 3, 2), |(i, j, k)| (i * 6 + j * 2 + k) as i64);
    let bytes = array![1u8, 2];
    let names = ["red".to_owned(), "grün".to_owned(), String::new()];
    let arrays: [(&str, Output<'_>); 8] = [
        ("nngp", (&kernel).into()),
        ("f32", (&single).into()),
        ("fortran", (&transposed).into()),
        ("strided", Output::I64(strided.slice(ndarray::s![..;2, .., 1]).into_dyn())),
        ("u8", (&bytes).into()),
        ("names", names.as_slice().into()),
        ("scalar", Output::F64(aview0(&1.5).into_dyn())),
        ("settings", "{\"kind\": \"ntk\"}".into()),
    ];
    write_npz(&path, &arrays).unwrap();

    let mut file = NpzFile::open(&path).unwrap();
    assert_eq!(file.keys(), arrays.each_ref().map(|(name, _)| (*name).to_owned()));
    let mut read = |key: &str| file.read(key).unwrap();
    assert_eq!(read("nngp"), NpyArray::Floats(kernel.clone().into_dyn()));
    assert_eq!(read("f32"), NpyArray::Floats(single.mapv(f64::from).into_dyn()));
    assert_eq!(read("fortran"), NpyArray::Floats(kernel.clone().into_dyn()));
    assert_eq!(read("strided"), NpyArray::Integers(array![[1, 3, 5], [13, 15, 17]].into_dyn()));
    assert_eq!(read("u8"), NpyArray::Bytes(array![1u8, 2].into_dyn()));
    assert_eq!(read("names"), NpyArray::Texts(ndarray::arr1(&names).into_dyn()));
    assert_eq!(read("scalar"), NpyArray::Floats(ndarray::arr0(1.5).into_dyn()));
    let settings = "{\"kind\": \"ntk\"}".to_owned();
    assert_eq!(read("settings"), NpyArray::Texts(ndarray::arr0(settings).into_dyn()));

    let again = folder.path().join("again.npz");
    write_npz(&again, &arrays).unwrap();
    assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_failure_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("K.npz");
    fs::write(&path, b"before").unwrap();
    let error = write_atomically(&path, |file| {
        file.write_all(b"half of it")?;
        Err(io::ErrorKind::StorageFull.into())
    })
    .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("K.npz: no storage space; nothing was written there"), "{message}");
    assert_eq!(fs::read(&path).unwrap(), b"before");

    let same = array![1.0];
    let error = write_npz(&path, &[("a", (&same).into()), ("a", (&same).into())]).unwrap_err();
    assert!(error.to_string().contains("Duplicate"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"before");
    // No temporary file stays behind.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn places_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let array = array![1.0];
    let write = |path: &std::path::Path| write_npz(path, &[("a", (&array).into())]).unwrap_err();
    let error = write(&folder.path().join("none/K.npz"));
    assert!(error.to_string().contains("there is no folder"), "{error}");
    let error = write(folder.path());
    assert!(
        matches!(&error, DataError::Write { source, .. } if source.kind() == io::ErrorKind::IsADirectory)
    );
    fs::write(folder.path().join("file"), b"").unwrap();
    assert!(matches!(write(&folder.path().join("file/K.npz")), DataError::Write { .. }));
}

#[cfg(unix)]
#[test]
fn a_result_is_as_open_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (plain, ours) = (folder.path().join("plain"), folder.path().join("K.npz"));
    fs::write(&plain, b"").unwrap();
    write_npz(&ours, &[("a", (&array![1.0]).into())]).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let link = |name: &str, target: &str| std::os::unix::fs::symlink(target, place(name)).unwrap();
    fs::create_dir(place("store")).unwrap();
    fs::write(place("store/old.npz"), b"before").unwrap();
    link("old.npz", "store/old.npz");
    link("new.npz", "store/new.npz");
    link("twice.npz", "new.npz");
    let write = |name: &str| write_npz(&place(name), &[("a", (&array![1.0]).into())]);
    for (name, stored) in [("old.npz", "old.npz"), ("new.npz", "new.npz"), ("twice.npz", "new.npz")] {
        write(name).unwrap();
        assert!(place(name).is_symlink(), "{name}");
        assert!(!place("store").join(stored).is_symlink());
        assert!(NpzFile::open(&place("store").join(stored)).is_ok(), "{stored}");
    }
    // No file besides the two, not even a temporary one.
    assert_eq!(fs::read_dir(place("store")).unwrap().count(), 2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    link("round.npz", "about.npz");
    link("about.npz", "round.npz");
    link("folder.npz", "store");
    link("nowhere.npz", "none/K.npz");
    for (name, reason) in
        [("round.npz", "circles"), ("folder.npz", "is a directory"), ("nowhere.npz", "none")]
    {
        let message = write(name).unwrap_err().to_string();
        assert!(message.contains(reason) && place(name).is_symlink(), "{name}: {message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn devices_are_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Links that a writer which replaced them would be allowed to replace.
    let links = [("stdout.npz", "/proc/self/fd/1"), ("full.npz", "/dev/full"), ("new.npz", "/dev/new.npz")];
    for (name, target) in links {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink(target, &path).unwrap();
        let message = write_npz(&path, &[("a", (&array![1.0]).into())]).unwrap_err().to_string();
        assert!(message.contains("device") && path.is_symlink(), "{name}: {message}");
    }
    // A folder in memory is a folder like any other.
    if std::path::Path::new("/dev/shm").is_dir() {
        assert!(ekernel_data::destination(std::path::Path::new("/dev/shm/K.npz")).is_ok());
    }
}

/// A matrix that comes some rows at a time.
#[derive(Debug)]
struct Bands(Array2<f64>, usize);

impl Rows for Bands {
    fn shape(&self) -> [usize; 2] {
        [self.0.nrows(), self.0.ncols()]
    }

    fn read(&self, take: &mut dyn FnMut(ArrayView2<'_, f64>) -> io::Result<()>) -> io::Result<()> {
        self.0.axis_chunks_iter(Axis(0), self.1).try_for_each(take)
    }
}

#[test]
fn a_matrix_that_is_read_while_it_is_written_has_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (rows, cols) in [(1, 1), (7, 5), (100, 3), (12_345, 1)] {
        let whole = Array2::from_shape_fn((rows, cols), |(i, j)| (i as f64).sin() + j as f64);
        write_npz(&path("whole.npz"), &[("k", (&whole).into())]).unwrap();
        for height in [1, 4, rows] {
            let bands = Bands(whole.clone(), height);
            write_npz(&path("bands.npz"), &[("k", Output::Rows(&bands))]).unwrap();
            let [one, other] = ["whole.npz", "bands.npz"].map(|name| std::fs::read(path(name)).unwrap());
            assert!(one == other, "{rows} × {cols}, {height} rows at a time");
        }
    }
}

/// Rows that end too early leave no file, and what was there stays.
#[test]
fn rows_that_are_missing_are_an_error() {
    #[derive(Debug)]
    struct Short;
    impl Rows for Short {
        fn shape(&self) -> [usize; 2] {
            [3, 2]
        }
        fn read(&self, take: &mut dyn FnMut(ArrayView2<'_, f64>) -> io::Result<()>) -> io::Result<()> {
            take(array![[1.0, 2.0]].view())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.npz");
    let error = write_npz(&path, &[("k", Output::Rows(&Short))]).unwrap_err();
    assert!(error.to_string().contains("2 numbers came for a matrix of 3 × 2"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
