//! The confusion of classes as a matrix of shades.

use std::path::Path;

use ndarray::Array2;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{COLOURS, FONT, Picture, save};

/// The length to which names of classes are cut.
const NAME: usize = 14;

struct Confusion<'a> {
    title: &'a str,
    counts: &'a Array2<usize>,
    names: &'a [String],
}

/// Draws counts (true class, predicted class) to an .svg or .png file.
pub(crate) fn draw(path: &Path, title: &str, counts: &Array2<usize>, names: &[String]) -> anyhow::Result<()> {
    let side = 160 + (names.len() as u32 * 44).clamp(320, 1400);
    save(path, (side, side), &Confusion { title, counts, names })
}

impl Picture for Confusion<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        let (width, height) = area.dim_in_pixel();
        let (left, top, right, bottom) = (130, 52, 16, 110);
        let classes = self.names.len().max(1) as i32;
        let cell =
            ((width as i32 - left - right) / classes).min((height as i32 - top - bottom) / classes).max(1);
        let text = |size: i32| (FONT, size).into_font().color(&BLACK);
        let centred = Pos::new(HPos::Center, VPos::Center);
        let centre = left + classes * cell / 2;
        area.draw_text(self.title, &text(20).pos(centred), (centre, 26))?;
        area.draw_text("predicted", &text(16).pos(centred), (centre, height as i32 - 14))?;
        let upright = text(16).transform(FontTransform::Rotate270).pos(centred);
        area.draw_text("true", &upright, (14, top + classes * cell / 2))?;
        for (i, row) in self.counts.outer_iter().enumerate() {
            let total = row.sum().max(1) as f64;
            for (j, &count) in row.iter().enumerate() {
                let (x, y) = (left + j as i32 * cell, top + i as i32 * cell);
                let share = count as f64 / total;
                let corners = [(x, y), (x + cell, y + cell)];
                area.draw(&Rectangle::new(corners, COLOURS[0].mix(share).filled()))?;
                area.draw(&Rectangle::new(corners, BLACK.mix(0.15)))?;
                if count > 0 && cell >= 14 {
                    let colour = if share > 0.5 { &WHITE } else { &BLACK };
                    let style = (FONT, (cell / 3).clamp(8, 16)).into_font().color(colour).pos(centred);
                    area.draw_text(&count.to_string(), &style, (x + cell / 2, y + cell / 2))?;
                }
            }
        }
        let size = (cell - 2).clamp(6, 13);
        for (class, name) in self.names.iter().enumerate() {
            let name: String = name.chars().take(NAME).collect();
            let middle = class as i32 * cell + cell / 2;
            let beside = text(size).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(&name, &beside, (left - 6, top + middle))?;
            let below =
                text(size).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(&name, &below, (left + middle, top + classes * cell + 6))?;
        }
        Ok(())
    }
}
