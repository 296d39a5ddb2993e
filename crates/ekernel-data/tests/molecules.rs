//! Three molecules of QM9 (methane, ammonia, water) in the three forms in which QM9 is published.

use std::path::PathBuf;

use ekernel_core::Samples;
use ekernel_data::molecules::{AtomReferences, MoleculeLimits};
use ekernel_data::{DataError, Molecules, Source, read_molecules, write_npz};
use ndarray::{Array2, Array3, array};

fn read(words: &str) -> Result<Molecules, DataError> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(words);
    read_molecules(&Source::parse(path.to_str().unwrap()).unwrap())
}

fn write_and_read(name: &str, text: &str, words: &str) -> Result<Molecules, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read_molecules(&Source::parse(&format!("{}{words}", path.display())).unwrap())
}

#[test]
fn all_forms_agree() {
    let npz = read("qm9.npz:all,U0").unwrap();
    assert_eq!(npz.charges, [vec![6, 1, 1, 1, 1], vec![7, 1, 1, 1], vec![8, 1, 1]]);
    assert_eq!(npz.positions[2][[0, 2]], 0.0076015923);
    assert_eq!(npz.property.as_ref().unwrap().values, [-40.47893, -56.525887, -76.404702]);
    assert_eq!((npz.len(), npz.max_atoms(), npz.elements()), (3, 5, vec![1, 6, 7, 8]));
    assert_eq!(npz.names[1], "row 1 (index 2)");
    npz.check(&MoleculeLimits {
        elements: Some(vec![1, 6, 7, 8, 9]),
        max_atoms: Some(29),
        ..Default::default()
    })
    .unwrap();

    let csv = read("qm9.csv:all,U0").unwrap();
    let xyz = read("qm9_xyz:all,U0").unwrap();
    for other in [&csv, &xyz] {
        assert_eq!(other.names, ["dsgdb9nsd_000001", "dsgdb9nsd_000002", "dsgdb9nsd_000003"]);
        assert_eq!(other.charges, npz.charges);
        assert_eq!(other.positions, npz.positions);
        assert_eq!(other.property, npz.property);
    }
    for words in ["qm9.csv:all,InternalEnergy_0K_au", "qm9.csv:all,U0"] {
        assert_eq!(read(words).unwrap().property.unwrap().values, [-40.47893, -56.525887, -76.404702]);
    }
    for words in ["qm9.csv:all,gap", "qm9_xyz:all,gap"] {
        assert_eq!(read(words).unwrap().property.unwrap().values, [0.5048, 0.3399, 0.3615]);
    }
}

#[test]
fn samples_and_numbers_of_atoms() {
    let molecules = read("qm9.npz:all,U0").unwrap();
    let Samples::Molecules(samples) = molecules.samples() else { panic!("molecules expected") };
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[1].charges, [7, 1, 1, 1]);
    assert_eq!(samples[2].positions[[0, 2]], 0.0076015923);
    let counts = array![[4.0, 1.0, 0.0, 0.0], [3.0, 0.0, 1.0, 0.0], [2.0, 0.0, 0.0, 1.0]];
    assert_eq!(molecules.counts(&[1, 6, 7, 8]), counts);
    assert_eq!(molecules.counts(&[9]), Array2::<f64>::zeros((3, 1)));
}

#[test]
fn atomisation_energies() {
    let molecules = read("qm9.npz:all,U0").unwrap();
    let stored = read("qm9.npz:all,U0_atomization").unwrap().property.unwrap().values;
    let references = molecules.references.clone().unwrap();
    assert_eq!(references, AtomReferences::qm9_u0());
    for (ours, stored) in molecules.atomization(&references).unwrap().into_iter().zip(stored) {
        // Sums of at most six numbers below 80 in another order: measured difference 0.
        assert!((ours - stored).abs() < 1e-13, "{ours} {stored}");
    }
}

#[test]
fn rows() {
    let water_then_methane = read("qm9.npz:train,U0").unwrap();
    assert_eq!(water_then_methane.charges, [vec![8, 1, 1], vec![6, 1, 1, 1, 1]]);
    assert_eq!(water_then_methane, read("qm9.npz:all,U0").unwrap().select(&[2, 0]));
    for file in ["qm9.npz", "qm9.csv", "qm9_xyz"] {
        let all = read(file).unwrap();
        assert_eq!(all.property, None);
        assert_eq!(read(&format!("{file}:1..")).unwrap(), all.select(&[1, 2]), "{file}");
        assert_eq!(read(&format!("{file}:1..2")).unwrap(), all.select(&[1]), "{file}");
        let error = read(&format!("{file}:1..4")).unwrap_err();
        assert!(matches!(error, DataError::RowOutOfRange { row: 3, rows: 3, .. }), "{file}: {error}");
        assert!(matches!(read(&format!("{file}:2..2")), Err(DataError::NoMolecules { .. })), "{file}");
    }
    let message = read("qm9.npz:tran").unwrap_err().to_string();
    assert!(
        message.contains("has no set of rows 'tran'; it holds train, test, all, ranges a..b"),
        "{message}"
    );
    assert!(matches!(read("qm9.csv:train"), Err(DataError::KeyNotUsed { .. })));
}

#[test]
fn names_that_are_not_there() {
    let message = read("qm9.csv:all,InternalEnergy").unwrap_err().to_string();
    assert!(message.contains("no column 'InternalEnergy'; it holds InternalEnergy_0K_au, "), "{message}");
    let message = read("qm9_xyz:all,U00").unwrap_err().to_string();
    assert!(message.contains("no property 'U00'; it holds U0, "), "{message}");
    assert!(matches!(read("qm9.npz:all,U00"), Err(DataError::UnknownKey { .. })));
    assert!(matches!(read("qm9.npzz:all"), Err(DataError::NotFound { .. })));
    assert!(matches!(read("expected.txt"), Err(DataError::UnknownFormat { .. })));
    assert!(matches!(read("images"), Err(DataError::NoMolecules { .. })));
    assert!(matches!(read("stored.npz"), Err(DataError::UnknownKey { .. })));
    assert!(matches!(read("y.npy,float64.npy"), Err(DataError::KeyNotUsed { .. })));
}

/// A byte order mark, Latin-1 comments, Fortran exponents, deuterium, columns of atomic numbers, lower-case keys.
#[test]
fn xyz_of_the_real_world() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_molecules(&Source::parse(&format!("{}:all,energy", path.display())).unwrap())
    };
    let water = "3\nenergy=-76.4 from the lab\nO 0 0 0.1173\nH 0 0.7572 -0.4692\nH 0 -0.7572 -0.4692\n";
    let plain = read("w.xyz", water.as_bytes()).unwrap();
    let latin: Vec<u8> = water.replace("the lab", "5 \u{c5}").chars().map(|c| c as u8).collect();
    for (what, bytes) in [
        ("mark", [b"\xef\xbb\xbf", water.as_bytes()].concat()),
        ("latin", latin),
        ("fortran", water.replace("0.1173", "1.173D-01").replace("-76.4", "-7.64d+01").into_bytes()),
        ("deuterium", water.replace('H', "D").into_bytes()),
        (
            "columns",
            water
                .replace("energy", "properties=Z:I:1:pos:R:3 energy")
                .replace('H', "1")
                .replace("O 0", "8 0")
                .into_bytes(),
        ),
    ] {
        assert_eq!(read("w.xyz", &bytes).unwrap(), plain, "{what}");
    }
    assert_eq!(read("w.extxyz", water.as_bytes()).unwrap().charges, plain.charges);
    assert!(read("u.xyz", b"\xff\xfe3\0").unwrap_err().to_string().contains("UTF-16"));
    // What macOS leaves beside files is no file of molecules.
    std::fs::remove_file(folder.path().join("u.xyz")).unwrap();
    std::fs::write(folder.path().join("._w.xyz"), b"\0\x05\x16\x07").unwrap();
    let all = read_molecules(&Source::parse(&format!("{}:all", folder.path().display())).unwrap()).unwrap();
    assert_eq!(all.len(), 2);
}

/// The rows asked for are in the first file: no other is opened.
#[test]
fn the_first_rows_read_no_later_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xyz"), "1\n\nH 0 0 0\n1\n\nH 0 0 0\n").unwrap();
    std::fs::write(folder.path().join("b.xyz"), "damaged").unwrap();
    let read =
        |rows: &str| read_molecules(&Source::parse(&format!("{}:{rows}", folder.path().display())).unwrap());
    assert_eq!(read("0..2").unwrap().len(), 2);
    assert!(read("0..3").is_err());
}

#[test]
fn plain_and_extended_xyz() {
    let plain = "2\n\nH 0 0 0\nCL 0.0 0.0 1.27\n\n  3\nwater\n8 0 0 0.1173\n1 0 0.7572 -0.4692\nh\t0\t-7572*^-4\t-0.4692\n\n";
    let molecules = write_and_read("two.xyz", plain, "").unwrap();
    assert_eq!(molecules.names, ["two.xyz#1", "two.xyz#2"]);
    assert_eq!(molecules.charges, [vec![1, 17], vec![8, 1, 1]]);
    assert_eq!(molecules.positions[1][[2, 1]], -0.7572);
    assert_eq!(write_and_read("two.xyz", &plain.replace('\n', "\r\n"), "").unwrap(), molecules);

    let extended = "2\nLattice=\"1 0 0 0 1 0 0 0 1\" pbc=\"F F F\" flag Properties=id:I:1:pos:R:3:species:S:1:forces:R:3 energy=-1.5\n\
                    1 0 0 0 H 9 9 9\n2 0 0 0.74 H 9 9 9\n";
    let molecules = write_and_read("h2.xyz", extended, ":all,energy").unwrap();
    assert_eq!(molecules.positions, [array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]]);
    assert_eq!(molecules.property.unwrap().values, [-1.5]);
}

#[test]
fn several_frames_of_qm9_in_one_file() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qm9_xyz");
    let text: String = (1..=3)
        .map(|index| std::fs::read_to_string(folder.join(format!("dsgdb9nsd_00000{index}.xyz"))).unwrap())
        .collect();
    assert_eq!(write_and_read("all.xyz", &text, ":all,U0").unwrap(), read("qm9_xyz:all,U0").unwrap());
}

#[test]
fn xyz_faults_name_the_line() {
    for (text, line, reason) in [
        ("two\n", 1, "'two' is not a number of atoms"),
        ("0\n\n", 1, "0 atoms"),
        ("2", 2, "before the comment"),
        ("2\n\nH 0 0 0\n", 4, "after 1 of 2 atoms"),
        ("1\n\nH 0 0\n", 3, "three coordinates"),
        ("1\n\nXx 0 0 0\n", 3, "'Xx' is no element"),
        ("1\n\nH 0 0 1,5\n", 3, "'1,5' is not a number"),
        ("1\n\nH 0 0 0\nrest\n", 4, "'rest' is not a number of atoms"),
        ("1\nProperties=pos:R:3\nH 0 0 0\n", 2, "does not list species"),
        ("1\nProperties=species:S:1:pos:R\nH 0 0 0\n", 2, "does not list species"),
        ("1\nProperties=species:S:1:pos:R:3:pad:R:70000\nH 0 0 0\n", 2, "does not list species"),
        ("99999999999\n\nH 0 0 0\n", 4, "after 1 of 99999999999"),
    ] {
        let error = write_and_read("x.xyz", text, "").unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains(&format!("line {line}: ")) && message.contains(reason),
            "{text:?}: {message}"
        );
    }
    let message = write_and_read("x.xyz", "1\nenergy=low\nH 0 0 0\n", ":all,energy").unwrap_err().to_string();
    assert!(message.contains("line 2: the property energy is 'low'"), "{message}");
    let error = write_and_read("x.xyz", "2\n\nH 0 0 0\nH 0 nan 1\n", "").unwrap_err();
    assert!(matches!(error, DataError::PositionNotFinite { atom: 1, axis: 'y', .. }), "{error}");
    assert!(matches!(write_and_read("x.xyz", "\n\n", ""), Err(DataError::NoMolecules { .. })));
}

#[test]
fn csv_faults_name_the_row() {
    let header = "Elements,XYZ_Ang,N_atoms,InternalEnergy_0K_au\n";
    let good = "\"['H','H']\",\"[[0,0,0],[0.,0,7.4*^-1]]\",2,-1.\n";
    let read = |row: &str| write_and_read("m.csv", &format!("{header}{good}{row}"), ":all,U0");
    assert_eq!(read("").unwrap().positions[0][[1, 2]], 0.74);
    for (row, reason) in [
        ("\"'H'\",\"[[0,0,0]]\",1,-1", "not a list such as ['C','H']"),
        ("\"['X']\",\"[[0,0,0]]\",1,-1", "'X' in Elements is no element"),
        ("\"['H']\",\"[0,0,0]\",1,-1", "XYZ_Ang is not a list"),
        ("\"['H']\",\"[[0,0]]\",1,-1", "atom 0 has 2 coordinates"),
        ("\"['H']\",\"[[0,0,z]]\",1,-1", "'z' in XYZ_Ang of atom 0 is not a number"),
        ("\"['H']\",\"[[0,0,0],[0,0,1]]\",1,-1", "1 elements, but 2 positions"),
        ("\"['H']\",\"[[0,0,0]]\",2,-1", "N_atoms is 2, but there are 1"),
        ("\"['H']\",\"[[0,0,0]]\",1,low", "U0 is 'low', not a number"),
    ] {
        let message = read(row).unwrap_err().to_string();
        assert!(message.contains("row 1 (line 3): ") && message.contains(reason), "{row}: {message}");
    }
    assert!(matches!(read("\"['H']\",1"), Err(DataError::Damaged { .. })));
    assert!(matches!(write_and_read("m.csv", header, ""), Err(DataError::NoMolecules { .. })));
    assert!(matches!(write_and_read("m.csv", "", ""), Err(DataError::UnknownProperty { .. })));
    let error = read("\"['H']\",\"[[0,0,0]]\",1,nan").unwrap_err();
    assert!(error.to_string().contains("its U0 is NaN"), "{error}");
}

#[test]
fn npz_faults_name_the_array_or_the_molecule() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    let positions = Array3::from_shape_fn((2, 3, 3), |(_, atom, _)| atom as f64);
    let charges = array![[8i64, 1, 1], [1, 1, 0]];
    type Change<'a> =
        &'a dyn Fn(&mut Array3<f64>, &mut Array2<i64>, &mut Vec<i64>, &mut Vec<i64>, &mut Vec<f64>);
    let read = |change: Change<'_>| {
        let (mut positions, mut charges) = (positions.clone(), charges.clone());
        let (mut counts, mut rows, mut energies) = (vec![3, 2], vec![1, 0], vec![-1.0, -2.0]);
        change(&mut positions, &mut charges, &mut counts, &mut rows, &mut energies);
        let (counts, rows, energies) =
            (ndarray::Array1::from(counts), ndarray::Array1::from(rows), ndarray::Array1::from(energies));
        write_npz(
            &path,
            &[
                ("positions", (&positions).into()),
                ("charges", (&charges).into()),
                ("n_atoms", (&counts).into()),
                ("train_idx", (&rows).into()),
                ("U0", (&energies).into()),
            ],
        )
        .unwrap();
        read_molecules(&Source::parse(&format!("{}:train,U0", path.display())).unwrap())
    };
    assert_eq!(read(&|_, _, _, _, _| ()).unwrap().charges, [vec![1, 1], vec![8, 1, 1]]);
    let fault = |change| read(change).unwrap_err().to_string();
    assert!(
        fault(&|_, charges, _, _, _| charges[[0, 1]] = 0)
            .contains("the charge of atom 1 is 0 (padding), but atom 2")
    );
    assert!(fault(&|_, charges, _, _, _| charges[[0, 1]] = 300).contains("not all atomic numbers"));
    assert!(fault(&|_, charges, _, _, _| charges[[0, 1]] = 119).contains("119 is no atomic number"));
    assert!(
        fault(&|_, charges, _, _, _| charges.row_mut(1).fill(0)).contains("n_atoms says 2, but 0 charges")
    );
    assert!(fault(&|_, _, counts, _, _| counts[0] = 2).contains("row 0: n_atoms says 2, but 3 charges"));
    assert!(fault(&|_, _, _, rows, _| rows[0] = 2).contains("it holds 2, and there are 2 molecules"));
    assert!(fault(&|_, _, _, rows, _| rows[0] = -1).contains("it holds -1"));
    assert!(fault(&|_, _, _, _, energies| energies[1] = f64::NAN).contains("its U0 is NaN"));
    assert!(fault(&|_, _, _, _, energies| energies.truncate(1)).contains("one value per molecule"));
    assert!(
        fault(&|positions, _, _, _, _| positions[[1, 0, 2]] = f64::INFINITY).contains("coordinate inf (z)")
    );
    let cut = fault(&|positions, _, _, _, _| *positions = Array3::zeros((2, 2, 3)));
    assert!(cut.contains("m.npz:positions has shape [2, 2, 3]"), "{cut}");
    // Padding may hold anything.
    assert!(read(&|positions, _, _, _, _| positions[[1, 2, 0]] = f64::NAN).is_ok());
}

#[test]
fn crystals_in_npz_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npz");
    let positions = Array3::from_shape_fn((1, 2, 3), |(_, atom, _)| atom as f64);
    let (charges, cell) = (array![[1i64, 1]], Array3::from_elem((1, 3, 3), 5.0));
    let read = |cell: Option<(&str, &Array3<f64>)>, pbc: Option<&ndarray::Array1<i64>>| {
        let mut arrays = vec![("R", (&positions).into()), ("Z", (&charges).into())];
        arrays.extend(cell.map(|(name, cell)| (name, cell.into())));
        arrays.extend(pbc.map(|pbc| ("pbc", pbc.into())));
        write_npz(&path, &arrays).unwrap();
        read_molecules(&Source::parse(&format!("{}:all", path.display())).unwrap())
    };
    let (isolated, periodic) = (array![0i64, 0, 0], array![1i64, 0, 0]);
    assert!(read(None, None).is_ok());
    assert!(read(Some(("cell", &cell)), Some(&isolated)).is_ok());
    assert!(read(Some(("cell", &Array3::zeros((1, 3, 3)))), None).is_ok());
    for name in ["cell", "lattice"] {
        let refused = read(Some((name, &cell)), None).unwrap_err().to_string();
        assert!(refused.contains(&format!("its array {name} makes it a crystal")), "{refused}");
    }
    let refused = read(None, Some(&periodic)).unwrap_err().to_string();
    assert!(refused.contains("pbc makes it a crystal") && refused.contains("as False"), "{refused}");
}
