//! Grey TIFFs of signed integers and floats, as microscopes and ImageJ write them: their values as they are.

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
    // 2 are signed integers, 3 floats; unsigned integers, the default, are intensities from 0 to their largest value.
    let format = decoder.find_tag_unsigned::<u16>(Tag::SampleFormat).ok()??;
    let grey = matches!(decoder.colortype(), Ok(ColorType::Gray(_)));
    let (width, height) = decoder.dimensions().ok()?;
    ([2, 3].contains(&format) && grey).then_some((height as usize, width as usize))
}

/// Decodes the first page.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Numbers, DataError> {
    let broken = |reason: String| DataError::BrokenImage { path: path.to_owned(), reason };
    let decoder = open(path).ok_or_else(|| broken("it is no TIFF".to_owned()))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut decoder = decoder.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(|error| broken(error.to_string()))?;
    let values: Vec<f64> = match decoder.read_image().map_err(|error| broken(error.to_string()))? {
        DecodingResult::F32(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::F64(values) => values,
        DecodingResult::F16(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I8(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I16(values) => values.into_iter().map(f64::from).collect(),
        DecodingResult::I32(values) => values.into_iter().map(f64::from).collect(),
        _ => {
            return Err(broken(
                "its values are neither floats nor signed integers of 8 to 32 bits".to_owned(),
            ));
        }
    };
    let (height, width) = (height as usize, width as usize);
    if values.len() != height * width {
        return Err(broken(format!("it holds {} values for {height}x{width} pixels", values.len())));
    }
    Ok(Numbers { height, width, values })
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
