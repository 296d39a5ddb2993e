//! A folder with one sub-folder of images per class, the layout of NCT-CRC-HE-100K and of most image collections.
//!
//! Classes are the names of the sub-folders, sorted by bytes; images are sorted by name within their class, and
//! classes follow each other. Hidden files are passed over, and so are files that are not PNG, JPEG, TIFF, BMP or WebP by
//! their extension; the note counts these by extension. Of a TIFF of several pages the first is read. A folder that holds images and no sub-folders gives samples without labels.
//!
//! 8-bit pixels mean x/255, 16-bit pixels x/65535; grey TIFFs of floats, signed integers or 32-bit integers are taken as they are. Resizing filters with a triangle
//! whose support grows with the reduction (antialiased bilinear, as Pillow's BILINEAR), in float32 and without
//! rounding to 8 bits; the shape is stretched, not cropped, and coloured float TIFFs are clamped to [0, 1] by it. EXIF
//! orientations are not applied, as Pillow does not; alpha must be opaque. The note counts pages and orientations.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ekernel_core::Samples;
use image::imageops::{FilterType, resize};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use ndarray::ArrayViewMut3;

use crate::dataset::{Color, Dataset, ReadOptions};
use crate::error::{DataError, counted};
use crate::memory;
use crate::number_tiff;
use crate::place::Place;
use crate::samples::{checked, unit};
use crate::targets;

/// Bytes of a decoded image at most: 18 000 × 18 000 pixels of three bytes. A file of a few bytes may claim any size.
const LARGEST: u64 = 1 << 30;

/// What a folder holds, sorted.
struct Listing {
    folders: Vec<(String, PathBuf)>,
    images: Vec<(String, PathBuf)>,
    /// Names of everything else that is not hidden.
    others: Vec<String>,
}

/// Reads all images of the folder.
pub(crate) fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset, DataError> {
    if let Some((height, width)) = options.image_size
        && (height == 0 || width == 0)
    {
        return Err(DataError::ImageSize { height, width });
    }
    let top = Listing::of(folder)?;
    ensure_classes(folder, &top)?;
    let mut passed_over = top.others.clone();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut labels = Vec::new();
    match (top.folders.first(), top.images.first()) {
        (None, None) => return Err(no_images(folder, top)),
        (Some((class, _)), Some((loose, _))) => {
            let (class, loose) = (class.clone(), loose.clone());
            return Err(DataError::LooseImages { path: folder.to_owned(), loose, class });
        }
        (None, Some(_)) => files.extend(top.images.iter().map(|(_, path)| path.clone())),
        (Some(_), None) => {
            for (label, (_, path)) in top.folders.iter().enumerate() {
                let class = Listing::of(path)?;
                if class.images.is_empty() {
                    return Err(no_images(path, class));
                }
                passed_over.extend(class.others);
                passed_over.extend(class.folders.into_iter().map(|(name, _)| format!("{name}/")));
                let images = class.images.into_iter().take(options.per_class.unwrap_or(usize::MAX));
                files.extend(images.map(|(_, path)| path));
                labels.resize(files.len(), label);
            }
        }
    }
    let place = Place::file(folder);
    let (samples, mut notes) = read_images(&files, options, &place)?;
    notes.extend(by_extension(&passed_over).map(|counts| format!("passed over: {counts}")));
    let note = notes.join("; ");
    let relative =
        |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let names = Some(files.iter().map(relative).collect());
    let targets = (!labels.is_empty()).then(|| {
        let names: Vec<String> = top.folders.into_iter().map(|(name, _)| name).collect();
        (targets::of_sorted(labels, names), place.clone())
    });
    Ok(Dataset { names, note, ..Dataset::checked(samples, place, targets)? })
}

fn read_images(
    files: &[PathBuf],
    options: &ReadOptions,
    place: &Place,
) -> Result<(Samples, Vec<String>), DataError> {
    // Headers first: a size or colour that does not fit should not cost a long read.
    let mut sizes = Vec::with_capacity(files.len());
    let mut numbers = Vec::with_capacity(files.len());
    let mut colored = false;
    let mut largest = 0;
    let (mut turned, mut paged) = (0, 0);
    for path in files {
        paged += usize::from(has_pages(path));
        if let Some((height, width)) = number_tiff::size(path) {
            let bytes = 8 * height as u128 * width as u128;
            if bytes > u128::from(LARGEST) {
                let (width, height) = (width as u64, height as u64);
                return Err(DataError::HugeImage { path: path.clone(), width, height, limit: LARGEST });
            }
            largest = largest.max(3 * bytes);
            sizes.push((height, width));
            numbers.push(true);
            continue;
        }
        numbers.push(false);
        let mut decoder = decoder(path)?;
        // Damaged metadata are no reason to refuse an image.
        turned += usize::from(decoder.orientation().is_ok_and(|found| found != Orientation::NoTransforms));
        let (width, height) = decoder.dimensions();
        // Decoded, as float32 of three channels, and shrunk along one side.
        largest =
            largest.max(u128::from(decoder.total_bytes()) + 2 * 12 * u128::from(width) * u128::from(height));
        sizes.push((height as usize, width as usize));
        colored |= decoder.color_type().has_color();
    }
    let Some(&first) = sizes.first() else {
        return Err(DataError::NoImages { path: place.path.clone(), found: Vec::new() });
    };
    let other = sizes.iter().position(|size| *size != first);
    let size = match (options.image_size, other) {
        (Some(size), _) => size,
        (None, None) => first,
        (None, Some(other)) => {
            return Err(DataError::ImageSizes {
                first: files[0].clone(),
                first_size: first,
                other: files[other].clone(),
                other_size: sizes[other],
            });
        }
    };
    let channels = match options.color {
        Color::Grey => 1,
        Color::Rgb => 3,
        Color::AsStored => 1 + 2 * usize::from(colored),
    };
    let (height, width) = size;
    memory::ensure_fits(place, files.len() as u128 * height as u128 * width as u128 * channels as u128 * 8)?;
    memory::ensure_fits(place, largest)?;
    let mut images = memory::zeros(place, (files.len(), height, width, channels))?;
    for ((path, pixels), &of_numbers) in files.iter().zip(images.outer_iter_mut()).zip(&numbers) {
        if of_numbers {
            number_tiff::read(path, LARGEST)?.fill(pixels);
            continue;
        }
        let image = DynamicImage::from_decoder(decoder(path)?).map_err(|error| broken(path, &error))?;
        let transparent =
            image.color().has_alpha() && image.to_rgba16().pixels().any(|pixel| pixel.0[3] != u16::MAX);
        if transparent {
            return Err(DataError::Transparent { path: path.clone() });
        }
        fill(pixels, &image);
    }
    let resized = sizes.iter().filter(|&&found| found != size).count();
    let of = counted(files.len(), "image", "images");
    let notes = [
        (resized, format!("resized to {height}x{width} (triangle filter, antialiased)")),
        (
            turned,
            "with an EXIF orientation that is not applied: store them upright if they should be".to_owned(),
        ),
        (paged, "with several pages, of which the first is read".to_owned()),
    ];
    let notes = notes.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} of {of} {what}"));
    Ok((checked(Samples::Images(images), place)?, notes.collect()))
}

/// Whether a file is a TIFF of more than one page; one that cannot be read has none, which its decoder says better.
fn has_pages(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if !matches!(extension.as_deref(), Some("tif" | "tiff")) {
        return false;
    }
    let file = fs::File::open(path).map(std::io::BufReader::new);
    file.is_ok_and(|file| tiff::decoder::Decoder::new(file).is_ok_and(|decoder| decoder.more_images()))
}

/// `3 .webp, 1 .txt, 2 folders`; nothing of nothing. Names of folders end in a slash.
fn by_extension(names: &[String]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        let kind = match Path::new(name).extension() {
            _ if name.ends_with('/') => "~folder".to_owned(),
            Some(extension) => format!(".{}", extension.to_string_lossy().to_lowercase()),
            None => "without extension".to_owned(),
        };
        *counts.entry(kind).or_default() += 1;
    }
    let shown = |(kind, n): (String, usize)| match kind.as_str() {
        "~folder" => counted(n, "folder", "folders"),
        _ => format!("{n} {kind}"),
    };
    let counts: Vec<String> = counts.into_iter().map(shown).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// The decoder of an image whose size is acceptable; nothing is decoded yet.
fn decoder(path: &Path) -> Result<impl ImageDecoder, DataError> {
    let huge =
        |(width, height)| DataError::HugeImage { path: path.to_owned(), width, height, limit: LARGEST };
    // From the header alone: some decoders reserve a row before they say how long it is.
    let claimed = imagesize::size(path).ok().map(|size| (size.width as u64, size.height as u64));
    if let Some((width, height)) = claimed
        && width.saturating_mul(height) > LARGEST
    {
        return Err(huge((width, height)));
    }
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|source| DataError::io(path, "open", source))?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| match (&error, claimed) {
        (ImageError::Limits(_), Some(claimed)) => huge(claimed),
        _ => broken(path, &error),
    })?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > LARGEST {
        return Err(huge((width.into(), height.into())));
    }
    Ok(decoder)
}

/// Writes the pixels into an array (height, width, channels), resizing if need be.
fn fill(mut pixels: ArrayViewMut3<'_, f64>, image: &DynamicImage) {
    let (height, width, channels) = pixels.dim();
    let same_size = (image.height() as usize, image.width() as usize) == (height, width);
    let eight_bit = image.color().bytes_per_pixel() == image.color().channel_count();
    let (new_width, new_height) = (width as u32, height as u32);
    if same_size && eight_bit && (channels == 3 || !image.color().has_color()) {
        // Exactly x/255 in float64, as for arrays of bytes.
        let bytes = if channels == 3 { image.to_rgb8().into_raw() } else { image.to_luma8().into_raw() };
        copy(&mut pixels, &bytes, unit);
    } else if channels == 3 || image.color().has_color() {
        let image = image.to_rgb32f();
        let image =
            if same_size { image } else { resize(&image, new_width, new_height, FilterType::Triangle) };
        if channels == 3 {
            copy(&mut pixels, &image.into_raw(), f64::from);
        } else {
            let luma: Vec<f64> = image.pixels().map(|pixel| luma(pixel.0)).collect();
            copy(&mut pixels, &luma, |value| value);
        }
    } else {
        let image = image.to_luma32f();
        let image =
            if same_size { image } else { resize(&image, new_width, new_height, FilterType::Triangle) };
        copy(&mut pixels, &image.into_raw(), f64::from);
    }
}

/// The grey of a colour, by the weights of ITU-R BT.709.
fn luma(rgb: [f32; 3]) -> f64 {
    [0.2126, 0.7152, 0.0722].iter().zip(rgb).map(|(weight, value)| weight * f64::from(value)).sum()
}

fn copy<T: Copy>(pixels: &mut ArrayViewMut3<'_, f64>, values: &[T], convert: impl Fn(T) -> f64) {
    for (pixel, &value) in pixels.iter_mut().zip(values) {
        *pixel = convert(value);
    }
}

impl Listing {
    fn of(folder: &Path) -> Result<Listing, DataError> {
        let fault = |source| DataError::io(folder, "list", source);
        let mut listing = Listing { folders: Vec::new(), images: Vec::new(), others: Vec::new() };
        for entry in fs::read_dir(folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            // Hidden files, and what macOS and Synology leave beside the files of others.
            if name.starts_with('.') || matches!(name.as_str(), "__MACOSX" | "@eaDir") {
                continue;
            }
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
            if path.is_dir() {
                listing.folders.push((name, path));
            } else if matches!(
                extension.as_deref(),
                Some("png" | "jpg" | "jpeg" | "tif" | "tiff" | "bmp" | "webp")
            ) {
                listing.images.push((name, path));
            } else {
                listing.others.push(name);
            }
        }
        listing.folders.sort();
        listing.images.sort();
        listing.others.sort();
        Ok(listing)
    }
}

/// Refuses a folder whose sub-folders are sets and no classes, none of which was named.
pub(crate) fn ensure_no_sets(folder: &Path) -> Result<(), DataError> {
    ensure_classes(folder, &Listing::of(folder)?)
}

fn ensure_classes(folder: &Path, listing: &Listing) -> Result<(), DataError> {
    const SETS: [&str; 6] = ["train", "training", "test", "testing", "val", "validation"];
    let is_set = |(name, _): &&(String, PathBuf)| SETS.contains(&name.to_lowercase().as_str());
    let sets: Vec<String> = listing.folders.iter().filter(is_set).map(|(name, _)| name.clone()).collect();
    if sets.len() > 1 && sets.len() == listing.folders.len() {
        return Err(DataError::SetsForClasses { path: folder.to_owned(), sets });
    }
    Ok(())
}

/// Refuses a folder of CIFAR's batches for Python.
pub(crate) fn ensure_no_pickles(folder: &Path) -> Result<(), DataError> {
    if !folder.join("batches.meta").is_file() {
        return Ok(());
    }
    Err(DataError::UnknownFormat {
        path: folder.to_owned(),
        hint: "it holds CIFAR's batches for Python, which are pickles",
        known: "take the binary version (data_batch_1.bin), or save the arrays with numpy.savez",
    })
}

fn no_images(folder: &Path, listing: Listing) -> DataError {
    let folders = listing.folders.into_iter().map(|(name, _)| format!("{name}/"));
    DataError::NoImages { path: folder.to_owned(), found: folders.chain(listing.others).collect() }
}

fn broken(path: &Path, error: &ImageError) -> DataError {
    let (path, reason) = (path.to_owned(), error.to_string().trim_end().to_owned());
    match error {
        ImageError::Unsupported(_) => DataError::ImageForm { path, reason },
        _ => DataError::BrokenImage { path, reason },
    }
}
