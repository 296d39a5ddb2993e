//! Folders of images as Pillow writes them.

use std::path::PathBuf;

use ekernel_core::Samples;
use ekernel_data::{Color, DataError, Dataset, ReadOptions, Source, Targets, read_dataset};
use ndarray::{Array3, Array4, Axis, s};

fn read(name: &str, options: ReadOptions) -> Result<Dataset, DataError> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    read_dataset(&Source::file(path), &options)
}

fn images(data: &Dataset) -> &Array4<f64> {
    match &data.samples {
        Samples::Images(images) => images,
        _ => panic!("images expected"),
    }
}

/// The picture of the fixtures: red grows with the column, green with the row.
fn ramp() -> Array3<f64> {
    Array3::from_shape_fn((4, 6, 3), |(row, column, channel)| {
        [column as f64 * 50.0, row as f64 * 80.0, 128.0][channel] / 255.0
    })
}

#[test]
fn classes_are_sub_folders() {
    let data = read("images", ReadOptions::default()).unwrap();
    let pixels = images(&data);
    assert_eq!(pixels.dim(), (4, 4, 6, 3));
    assert_eq!(pixels.slice(s![0, .., .., ..]), ramp());
    assert_eq!(pixels.slice(s![1, .., .., ..]), ramp().slice(s![.., ..;-1, ..]));
    assert_eq!(pixels.slice(s![2, .., .., ..]), ramp().slice(s![..;-1, .., ..]));
    // JPEG of one colour at quality 95: measured error 0; decoders may differ by one.
    for (channel, value) in [200.0, 100.0, 50.0].into_iter().enumerate() {
        for pixel in pixels.slice(s![3, .., .., channel]) {
            assert!((pixel * 255.0 - value).abs() <= 1.0 + 1e-9, "{pixel}");
        }
    }
    let names = Some(vec!["a_tumour".to_owned(), "b_stroma".to_owned()]);
    assert_eq!(
        data.targets,
        Some(Targets::Classes { labels: vec![0, 0, 1, 1], n_classes: 2, names, numbered: false })
    );
    assert_eq!(data.note, "passed over: 1 .txt");
}

#[test]
fn a_limit_takes_the_first_of_each_class() {
    let data = read("images", ReadOptions { per_class: Some(1), ..ReadOptions::default() }).unwrap();
    assert_eq!(images(&data).dim(), (2, 4, 6, 3));
    assert_eq!(images(&data).slice(s![0, .., .., ..]), ramp());
    assert!(matches!(&data.targets, Some(Targets::Classes { labels, .. }) if *labels == [0, 1]));
}

#[test]
fn grey_images_have_one_channel_and_sixteen_bits_the_same_range() {
    let data = read("grey_images", ReadOptions::default()).unwrap();
    assert_eq!(data.targets, None);
    let pixels = images(&data);
    assert_eq!(pixels.dim(), (2, 4, 6, 1));
    let expected = ramp().slice_move(s![.., .., ..1]);
    // Sixteen bits go through float32: measured error 2.5e-8.
    assert!((&pixels.slice(s![0, .., .., ..]) - &expected).iter().all(|error| error.abs() < 6e-8));
    assert_eq!(pixels.slice(s![1, .., .., ..]), expected);

    let rgb = read("grey_images", ReadOptions { color: Color::Rgb, ..ReadOptions::default() }).unwrap();
    assert_eq!(images(&rgb).dim(), (2, 4, 6, 3));
    assert_eq!(images(&rgb).slice(s![1, 2, 3, ..]).to_vec(), [150.0 / 255.0; 3]);

    let grey = read("images", ReadOptions { color: Color::Grey, ..ReadOptions::default() }).unwrap();
    let expected = (0.2126 * 50.0 + 0.7152 * 80.0 + 0.0722 * 128.0) / 255.0;
    // Through float32: measured error 1.1e-8.
    assert!((images(&grey)[[0, 1, 1, 0]] - expected).abs() < 4e-8);
}

#[test]
fn sizes_are_brought_together_on_request() {
    let message = read("sized_images", ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("1.png is 4x6 (height x width)"), "{message}");
    assert!(message.contains("2.png is 8x12"), "{message}");

    let options = ReadOptions { image_size: Some((4, 6)), ..ReadOptions::default() };
    let data = read("sized_images", options).unwrap();
    assert_eq!(data.note, "1 of 2 images resized to 4x6 (triangle filter, antialiased)");
    assert_eq!(images(&data).slice(s![0, .., .., ..]), ramp());
    // A triangle of twice the width weighs the pixels at ±1/2, ±3/2 with 3/8, 1/8: of a ramp with doubled pixels the
    // interior stays the ramp, and the first column becomes 6/7 · 0 + 1/7 · 50. Float32: measured error 3.7e-8.
    let half = images(&data).index_axis(Axis(0), 1);
    assert!((half[[1, 2, 0]] - 100.0 / 255.0).abs() < 1e-7);
    assert!((half[[1, 0, 0]] - 50.0 / 7.0 / 255.0).abs() < 1e-7);
    assert!((half[[2, 3, 1]] - 160.0 / 255.0).abs() < 1e-7);

    for size in [(0, 6), (4, 0)] {
        let options = ReadOptions { image_size: Some(size), ..ReadOptions::default() };
        assert!(matches!(read("sized_images", options), Err(DataError::ImageSize { .. })));
    }
    let huge = ReadOptions { image_size: Some((1 << 20, 1 << 20)), ..ReadOptions::default() };
    assert!(matches!(read("sized_images", huge), Err(DataError::TooLarge { .. })));
}

#[test]
fn faults_name_the_file() {
    for name in ["cut/1.png", "noise/1.jpg"] {
        let folder = format!("broken_images/{}", name.split('/').next().unwrap());
        let message = read(&folder, ReadOptions::default()).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("cannot be decoded"), "{message}");
    }
    assert!(matches!(
        read("broken_images/alpha", ReadOptions::default()),
        Err(DataError::Transparent { .. })
    ));

    let message = read("qm9_xyz", ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("holds no images") && message.contains("dsgdb9nsd_000001.xyz"), "{message}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("class")).unwrap();
    std::fs::write(folder.path().join("loose.png"), b"").unwrap();
    let error = read_dataset(&Source::file(folder.path()), &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, DataError::LooseImages { .. }), "{error}");
    std::fs::remove_file(folder.path().join("loose.png")).unwrap();
    let error = read_dataset(&Source::file(folder.path()), &ReadOptions::default()).unwrap_err();
    assert!(matches!(&error, DataError::NoImages { path, .. } if path.ends_with("class")), "{error}");
}

#[test]
fn a_folder_takes_no_names() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
    for words in ["train", "train,y"] {
        let source = Source::parse(&format!("{}:{words}", path.display())).unwrap();
        let error = read_dataset(&source, &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, DataError::KeyNotUsed { .. }), "{error}");
    }
}

/// Files of a few hundred bytes whose headers claim sizes that no memory holds, and one that claims 1.2 GiB.
#[test]
fn claims_of_huge_images_are_refused_before_anything_is_decoded() {
    for (name, file, claim) in [
        ("a.png", png(40_000, 10_000), "40000 × 10000 pixels"),
        ("a.png", png(u32::MAX >> 1, u32::MAX >> 1), "2147483647 × 2147483647 pixels"),
        ("a.tif", tiff(1 << 31, 1 << 31), "2147483648 × 2147483648 pixels"),
        ("a.tif", tiff(1 << 16, 1 << 15), "65536 × 32768 pixels"),
        ("a.jpg", jpeg(u16::MAX, u16::MAX), "65535 × 65535 pixels"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("class")).unwrap();
        std::fs::write(folder.path().join("class").join(name), &file).unwrap();
        for image_size in [None, Some((4, 4))] {
            let options = ReadOptions { image_size, ..ReadOptions::default() };
            let refused = read_dataset(&Source::file(folder.path()), &options).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains(claim), "{name}: {refused}");
            assert!(refused.contains("more than 1.0 GiB"), "{name}: {refused}");
        }
    }
}

/// A PNG of colours whose header claims a size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    for (kind, content) in
        [(b"IHDR", [&size[..], &[8, 2, 0, 0, 0]].concat()), (b"IDAT", vec![]), (b"IEND", vec![])]
    {
        let checked = [&kind[..], &content].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&checked);
        file.extend((content.len() as u32).to_be_bytes());
        file.extend(checked);
        file.extend(sum.sum().to_be_bytes());
    }
    file
}

/// A grey TIFF of eight bits whose directory claims a size.
fn tiff(width: u32, height: u32) -> Vec<u8> {
    let entries = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, 8),
    ];
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        // Of type LONG, one value.
        file.extend([(tag as u16).to_le_bytes(), 4u16.to_le_bytes()].concat());
        file.extend([1u32.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0; 4]);
    file
}

/// A JPEG of the fixtures whose frame claims another size.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let fixture = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images/b_stroma/2.jpg");
    let mut file = std::fs::read(fixture).unwrap();
    let frame = file.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}

/// A grey image of one value.
fn grey(value: u8) -> image::GrayImage {
    image::GrayImage::from_pixel(4, 6, image::Luma([value]))
}

/// What systems leave beside images is no class, and train/ and test/ are none either.
#[test]
fn folders_that_are_no_classes() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for name in
        ["train/cat", "train/dog", "train/__MACOSX/cat", "train/cat/@eaDir/0.png", "test/cat", "test/dog"]
    {
        std::fs::create_dir_all(place(name)).unwrap();
    }
    for (value, name) in
        ["train/cat/0.bmp", "train/dog/0.webp", "test/cat/0.png", "test/dog/0.png"].iter().enumerate()
    {
        grey(50 * value as u8).save(place(name)).unwrap();
    }
    let refused =
        read_dataset(&Source::file(folder.path()), &ReadOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("test, train") && refused.contains(":test"), "{refused}");
    for part in ["train", "test"] {
        let source = Source::parse(&format!("{}:{part}", folder.path().display())).unwrap();
        let data = read_dataset(&source, &ReadOptions::default()).unwrap();
        assert!(matches!(&data.targets, Some(Targets::Classes { labels, .. }) if *labels == [0, 1]));
        assert_eq!(data.note, "");
        let first = if part == "train" { 0.0 } else { 100.0 / 255.0 };
        assert_eq!(images(&data)[[0, 5, 3, 0]], first);
    }
    std::fs::create_dir_all(place("pickles")).unwrap();
    std::fs::write(place("pickles/batches.meta"), b"").unwrap();
    let refused =
        read_dataset(&Source::file(place("pickles")), &ReadOptions::default()).unwrap_err().to_string();
    assert!(refused.contains("binary version"), "{refused}");
}

/// A TIFF of two pages, and a PNG with an orientation, as cameras write it.
#[test]
fn pages_and_orientations_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut pages =
        tiff::encoder::TiffEncoder::new(std::fs::File::create(folder.path().join("a.tif")).unwrap()).unwrap();
    for value in [10, 20] {
        pages.write_image::<tiff::encoder::colortype::Gray8>(4, 6, &[value; 24]).unwrap();
    }
    let mut file = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut file);
    // Little endian, one entry: tag 0x112 (orientation), one SHORT, 6.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    image::ImageEncoder::set_exif_metadata(&mut encoder, exif.to_vec()).unwrap();
    grey(30).write_with_encoder(encoder).unwrap();
    std::fs::write(folder.path().join("b.png"), file).unwrap();
    let data = read_dataset(&Source::file(folder.path()), &ReadOptions::default()).unwrap();
    assert_eq!(images(&data)[[0, 0, 0, 0]], 10.0 / 255.0);
    assert!(
        data.note.contains("1 of 2 images with several pages, of which the first is read"),
        "{}",
        data.note
    );
    assert!(
        data.note.contains("1 of 2 images with an EXIF orientation that is not applied"),
        "{}",
        data.note
    );
}

#[test]
fn a_set_that_a_folder_lacks_is_answered_by_those_it_has() {
    let folder = tempfile::tempdir().unwrap();
    for set in ["train", "val"] {
        std::fs::create_dir_all(folder.path().join(set).join("cat")).unwrap();
    }
    let source = Source::parse(&format!("{}:test", folder.path().display())).unwrap();
    let refused = read_dataset(&source, &ReadOptions::default()).unwrap_err();
    assert!(
        matches!(&refused, DataError::SetsForClasses { sets, .. } if *sets == ["train", "val"]),
        "{refused}"
    );
}
