//! The paper: SVG or PNG, the same picture in both.

use std::{io::Write, path::Path, sync::OnceLock};

use anyhow::{Context, anyhow};
use ekernel_data::write_atomically;
use plotters::{
    backend::{BitMapBackend, SVGBackend},
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    prelude::DrawingBackend,
    style::{FontStyle, RGBColor, register_font},
};

use super::{
    letters::FONT,
    scaled::{SCALE, Scaled},
};
use crate::failure::mistake;

/// Colours of lines that remain apart for people who confuse red and green (Okabe and Ito 2008).
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// The kinds of picture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Svg,
    Png,
}

impl Format {
    /// By the file's extension.
    pub(crate) fn of(path: &Path) -> anyhow::Result<Format> {
        match path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).as_deref() {
            Some("svg") => Ok(Format::Svg),
            Some("png") => Ok(Format::Png),
            _ => Err(mistake(format!("--plot {}: plots are .svg or .png files", path.display()))),
        }
    }
}

/// A drawing on either canvas; generic closures do not exist, hence a trait.
pub(super) trait Picture {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static;
}

/// Draws in memory, then writes the file whole.
pub(super) fn save(path: &Path, size: (u32, u32), picture: &impl Picture) -> anyhow::Result<()> {
    register()?;
    let bytes = match Format::of(path)? {
        Format::Svg => {
            let mut text = String::new();
            {
                let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
                picture.draw(&area)?;
                area.present()?;
            }
            text.into_bytes()
        }
        Format::Png => {
            let size = (size.0 * SCALE, size.1 * SCALE);
            let mut pixels = vec![0; size.0 as usize * size.1 as usize * 3];
            {
                let area = Scaled(BitMapBackend::with_buffer(&mut pixels, size)).into_drawing_area();
                picture.draw(&area)?;
                area.present()?;
            }
            png(&pixels, size)?
        }
    };
    write_atomically(path, |file| file.write_all(&bytes))
        .with_context(|| format!("--plot {}", path.display()))
}

fn png(pixels: &[u8], size: (u32, u32)) -> anyhow::Result<Vec<u8>> {
    use image::ImageEncoder;
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        pixels,
        size.0,
        size.1,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

pub(super) fn register() -> anyhow::Result<()> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).is_ok());
    if *done { Ok(()) } else { Err(anyhow!("the built-in font cannot be read")) }
}
