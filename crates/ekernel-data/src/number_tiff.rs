//! Grey TIFFs of floats and of integers that are no intensities (signed ones, and those of 32 bits and more), as microscopes,
//! ImageJ and tifffile write them: their values as they are.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Luma};
use ndarray::ArrayViewMut3;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use crate::error::DataError;

/// Values of a page, row by row.
pub(crate) struct Numbers {
    height: usize,
    width: usize,
    values: Vec<f64>,
}

/// Height and width, if the file is such a TIFF.
pub(crate) fn size(path: &Path) -> Option<(usize, usize)> {
    let mut decoder = open(path)?;
    // 1, the default, are unsigned integers, 2 signed ones, 3 floats.
    let format = decoder.find_tag_unsigned::<u16>(Tag::SampleFormat).ok()?.unwrap_or(1);
    let Ok(ColorType::Gray(bits)) = decoder.colortype() else { return None };
    let (width, height) = decoder.dimensions().ok()?;
    // Unsigned integers of 8 and 16 bits are intensities from 0 to their largest value.
    let numbers = [2, 3].contains(&format) || (format == 1 && bits >= 32);
    numbers.then_some((height as usize, width as usize))
}

/// Decodes the first page.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Numbers, DataError> {
    let broken = |reason: String| DataError::BrokenImage { path: path.to_owned(), reason };
    let decoder = open(path).ok_or_else(|| broken("it is no TIFF".to_owned()))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut decoder = decoder.with_limits(limits);
    let inexact = || broken("it holds integers beyond ±2^53, which float64 rounds".to_owned());
    let (width, height) = decoder.dimensions().map_err(|error| broken(error.to_string()))?;
    let values: Vec<f64> = match decoder.read_image().map_err(|error| broken(error.to_string()))? {
        DecodingResult::F32(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::F64(values) => values,
        DecodingResult::F16(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I8(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I16(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I32(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::U32(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I64(values) => exact(values.into_iter().map(i128::from)).ok_or_else(inexact)?,
        DecodingResult::U64(values) => exact(values.into_iter().map(i128::from)).ok_or_else(inexact)?,
        DecodingResult::U8(_) | DecodingResult::U16(_) => {
            return Err(broken("its values are of another type than its header says".to_owned()));
        }
    };
    let (height, width) = (height as usize, width as usize);
    if values.len() != height * width {
        return Err(broken(format!("it holds {} values for {height}x{width} pixels", values.len())));
    }
    Ok(Numbers { height, width, values })
}

/// Integers that float64 holds.
fn exact(values: impl Iterator<Item = i128>) -> Option<Vec<f64>> {
    values.map(|value| (value.abs() <= 1 << 53).then_some(value as f64)).collect()
}

fn open(path: &Path) -> Option<Decoder<BufReader<File>>> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if !matches!(extension.as_deref(), Some("tif" | "tiff")) {
        return None;
    }
    Decoder::new(BufReader::new(File::open(path).ok()?)).ok()
}

impl Numbers {
    /// Writes the values into an array (height, width, channels), each channel alike, resizing if need be.
    pub(crate) fn fill(&self, mut pixels: ArrayViewMut3<'_, f64>) {
        let (height, width, channels) = pixels.dim();
        let values = if (self.height, self.width) == (height, width) {
            self.values.clone()
        } else {
            self.resized(height, width)
        };
        for (pixel, value) in
            pixels.iter_mut().zip(values.iter().flat_map(|value| std::iter::repeat_n(value, channels)))
        {
            *pixel = *value;
        }
    }

    /// Resized in float32, between 0 and 1: the filter cuts off what lies outside.
    fn resized(&self, height: usize, width: usize) -> Vec<f64> {
        let (low, high) = self
            .values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
        let range = if high > low { high - low } else { 1.0 };
        let scaled: Vec<f32> = self.values.iter().map(|x| ((x - low) / range) as f32).collect();
        let image: Option<ImageBuffer<Luma<f32>, _>> =
            ImageBuffer::from_raw(self.width as u32, self.height as u32, scaled);
        let image = image.expect("there are height × width values, as `read` checks");
        let image = resize(&image, width as u32, height as u32, FilterType::Triangle);
        image.into_raw().into_iter().map(|x| low + range * f64::from(x)).collect()
    }
}
