//! A folder with one sub-folder of images per class, the layout of NCT-CRC-HE-100K and of most image collections.
//!
//! Classes are the names of the sub-folders, sorted by bytes; images are sorted by name within their class, and
//! classes follow each other. Hidden files, and files that are not PNG, JPEG or TIFF by their extension, are passed
//! over. A folder that holds images and no sub-folders gives samples without labels.
//!
//! 8-bit pixels mean x/255, 16-bit pixels x/65535, float TIFFs are taken as they are. Resizing filters with a triangle
//! whose support grows with the reduction (antialiased bilinear, as Pillow's BILINEAR), in float32 and without
//! rounding to 8 bits; the shape is stretched, not cropped, and float TIFFs are clamped to [0, 1] by it. EXIF
//! rotations are not applied, alpha must be opaque.

use std::fs;
use std::path::{Path, PathBuf};

use ekernel_core::Samples;
use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageDecoder, ImageReader};
use ndarray::ArrayViewMut3;

use crate::dataset::{Color, Dataset, ReadOptions};
use crate::error::{DataError, counted};
use crate::memory;
use crate::place::Place;
use crate::samples::{checked, unit};
use crate::targets::Targets;

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
    let mut passed_over = top.others.len();
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
                passed_over += class.others.len() + class.folders.len();
                let images = class.images.into_iter().take(options.per_class.unwrap_or(usize::MAX));
                files.extend(images.map(|(_, path)| path));
                labels.resize(files.len(), label);
            }
        }
    }
    let place = Place::file(folder);
    let (samples, mut note) = read_images(&files, options, &place)?;
    if passed_over > 0 {
        let (one, many) = ("file or folder that is no image was", "files or folders that are no images were");
        note = [note, format!("{} passed over", counted(passed_over, one, many))]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
    }
    let targets = (!labels.is_empty()).then(|| {
        let names: Vec<String> = top.folders.into_iter().map(|(name, _)| name).collect();
        (Targets::Classes { labels, n_classes: names.len(), names: Some(names) }, place.clone())
    });
    Ok(Dataset { note, ..Dataset::checked(samples, place, targets)? })
}

fn read_images(
    files: &[PathBuf],
    options: &ReadOptions,
    place: &Place,
) -> Result<(Samples, String), DataError> {
    // Headers first: a size or colour that does not fit should not cost a long read.
    let mut sizes = Vec::with_capacity(files.len());
    let mut colored = false;
    for path in files {
        let decoder = decoder(path)?;
        let (width, height) = decoder.dimensions();
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
    let mut images = memory::zeros(place, (files.len(), height, width, channels))?;
    for (path, pixels) in files.iter().zip(images.outer_iter_mut()) {
        let image = DynamicImage::from_decoder(decoder(path)?).map_err(|error| broken(path, &error))?;
        let transparent =
            image.color().has_alpha() && image.to_rgba16().pixels().any(|pixel| pixel.0[3] != u16::MAX);
        if transparent {
            return Err(DataError::Transparent { path: path.clone() });
        }
        fill(pixels, &image);
    }
    let resized = sizes.iter().filter(|&&found| found != size).count();
    let note = match resized {
        0 => String::new(),
        n => format!(
            "{n} of {} resized to {height}x{width} (triangle filter, antialiased)",
            counted(files.len(), "image", "images")
        ),
    };
    Ok((checked(Samples::Images(images), place)?, note))
}

fn decoder(path: &Path) -> Result<impl ImageDecoder, DataError> {
    ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|source| DataError::io(path, "open", source))?
        .into_decoder()
        .map_err(|error| broken(path, &error))
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
            if name.starts_with('.') {
                continue;
            }
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
            if path.is_dir() {
                listing.folders.push((name, path));
            } else if matches!(extension.as_deref(), Some("png" | "jpg" | "jpeg" | "tif" | "tiff")) {
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

fn no_images(folder: &Path, listing: Listing) -> DataError {
    let folders = listing.folders.into_iter().map(|(name, _)| format!("{name}/"));
    DataError::NoImages { path: folder.to_owned(), found: folders.chain(listing.others).collect() }
}

fn broken(path: &Path, error: &image::ImageError) -> DataError {
    DataError::BrokenImage { path: path.to_owned(), reason: error.to_string() }
}
