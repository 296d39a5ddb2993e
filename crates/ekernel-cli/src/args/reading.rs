//! How samples are read.

use clap::{Args, ValueEnum};
use ekernel_data::Normalization;

use super::count::count;

/// How samples are read and prepared.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reading images and arrays")]
pub(crate) struct Reading {
    /// none, unit-range (x/255, for floats 0..255), standardize (per channel, parameters of the training samples),
    /// per-image, or zca[:BIAS] (each sample to mean 0 and norm 1, then whitened with (C + BIAS)^(-1/2), C the second moments of
    /// the training samples; BIAS is 1e-4 by default); `unit` is short for unit-range
    #[arg(long, value_name = "HOW", default_value = "none", value_parser = normalization)]
    pub(crate) normalize: Normalization,
    /// Resize the images of a folder
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
    pub(crate) resize: Option<(usize, usize)>,
    /// Channels of the images of a folder
    #[arg(long, value_enum, default_value = "as-stored")]
    pub(crate) color: Color,
    /// Images of each class of a folder at most
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) per_class: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    AsStored,
    Grey,
    Rgb,
}

impl Reading {
    pub(crate) fn options(&self) -> ekernel_data::ReadOptions {
        let color = match self.color {
            Color::AsStored => ekernel_data::Color::AsStored,
            Color::Grey => ekernel_data::Color::Grey,
            Color::Rgb => ekernel_data::Color::Rgb,
        };
        ekernel_data::ReadOptions {
            image_size: self.resize,
            color,
            per_class: self.per_class,
            ..ekernel_data::ReadOptions::default()
        }
    }
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let wrong = || "give height and width, for example 28x28".to_owned();
    let (height, width) = text.split_once('x').ok_or_else(wrong)?;
    Ok((count(height).map_err(|_| wrong())?, count(width).map_err(|_| wrong())?))
}

fn normalization(text: &str) -> Result<Normalization, String> {
    match text {
        "unit" => Ok(Normalization::UnitRange),
        _ => text.parse().map_err(|error: ekernel_data::DataError| error.to_string()),
    }
}
