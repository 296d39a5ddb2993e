//! The confusion of classes as a matrix of shades.

use std::path::Path;

use ndarray::Array2;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    canvas::{COLOURS, Picture, register, save},
    letters::{FONT, length, shortened},
};

/// The length to which names of classes are cut.
const NAME: usize = 14;
/// Sizes of the title and of what the axes are called.
const TITLE: i32 = 20;
const AXIS: i32 = 16;
/// Room above the cells, right of them, and beside every text.
const TOP: i32 = 52;
const RIGHT: i32 = 16;
const GAP: i32 = 6;

struct Confusion<'a> {
    title: &'a str,
    counts: &'a Array2<usize>,
    names: &'a [String],
    layout: Layout,
}

/// Where things stand, in pixels.
struct Layout {
    /// The side of a cell.
    cell: i32,
    /// The size of the names' letters.
    letters: i32,
    /// The longest name, along its letters.
    longest: i32,
    /// Whether the names below stand upright, as the longest is wider than a cell.
    turned: bool,
    /// The left edge of the cells.
    left: i32,
    /// The lower edge of the cells.
    bottom: i32,
    width: i32,
    height: i32,
}

/// Draws counts (true class, predicted class) to an .svg or .png file.
pub(crate) fn draw(path: &Path, title: &str, counts: &Array2<usize>, names: &[String]) -> anyhow::Result<()> {
    register()?;
    let names: Vec<String> = names.iter().map(|name| shortened(name, NAME)).collect();
    let layout = Layout::new(title, &names)?;
    let size = (layout.width.unsigned_abs(), layout.height.unsigned_abs());
    save(path, size, &Confusion { title, counts, names: &names, layout })
}

impl Layout {
    fn new(title: &str, names: &[String]) -> anyhow::Result<Layout> {
        let classes = names.len().max(1) as i32;
        let cell = ((classes * 44).clamp(320, 1400) / classes).max(1);
        let letters = (cell - 2).clamp(6, 13);
        let mut longest = 0;
        for name in names {
            longest = longest.max(length(name, letters)?);
        }
        let turned = longest > cell - 4;
        let beside = 2 * GAP + AXIS + longest + GAP;
        let bottom = TOP + classes * cell;
        let below = if turned { longest } else { letters };
        let needed = beside + classes * cell + RIGHT;
        let width = needed.max(length(title, TITLE)? + 2 * GAP);
        let left = beside + (width - needed) / 2;
        let height = bottom + GAP + below + GAP + AXIS + 2 * GAP;
        Ok(Layout { cell, letters, longest, turned, left, bottom, width, height })
    }
}

impl Picture for Confusion<'_> {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        let Layout { cell, letters, longest, turned, left, bottom, width, height } = self.layout;
        let text = |size: i32| (FONT, size).into_font().color(&BLACK);
        let centred = Pos::new(HPos::Center, VPos::Center);
        let centre = left + self.names.len() as i32 * cell / 2;
        let half = length(self.title, TITLE)? / 2 + GAP;
        let above = centre.min(width - half).max(half);
        area.draw_text(self.title, &text(TITLE).pos(centred), (above, TOP / 2))?;
        area.draw_text("predicted", &text(AXIS).pos(centred), (centre, height - GAP - AXIS / 2))?;
        let upright = text(AXIS).transform(FontTransform::Rotate270).pos(centred);
        area.draw_text("true", &upright, (left - longest - 2 * GAP - AXIS / 2, (TOP + bottom) / 2))?;
        for (i, row) in self.counts.outer_iter().enumerate() {
            let total = row.sum().max(1) as f64;
            for (j, &count) in row.iter().enumerate() {
                let (x, y) = (left + j as i32 * cell, TOP + i as i32 * cell);
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
        let beside = text(letters).pos(Pos::new(HPos::Right, VPos::Center));
        let below = if turned {
            text(letters).transform(FontTransform::Rotate270).pos(Pos::new(HPos::Right, VPos::Center))
        } else {
            text(letters).pos(Pos::new(HPos::Center, VPos::Top))
        };
        for (class, name) in self.names.iter().enumerate() {
            let middle = class as i32 * cell + cell / 2;
            area.draw_text(name, &beside, (left - GAP, TOP + middle))?;
            area.draw_text(name, &below, (left + middle, bottom + GAP))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_names_are_turned_and_make_room() {
        register().unwrap();
        let layout = |name: &str| Layout::new("net: 90.0 % right", &vec![name.to_owned(); 10]).unwrap();
        let (short, long) = (layout("7"), layout("adipose tissue"));
        assert!(!short.turned && long.turned);
        assert_eq!(long.height - short.height, long.longest - long.letters);
        // One line of names, one of the axis, and gaps.
        assert!(short.height - short.bottom < 55, "{}", short.height - short.bottom);
        assert!(short.left < 55 && long.left > 100);
    }

    #[test]
    fn a_long_title_fits() {
        register().unwrap();
        let title = "a_network_whose_name_is_rather_long: 100.0 % right";
        let layout = Layout::new(title, &["a".to_owned()]).unwrap();
        assert!(layout.width >= length(title, TITLE).unwrap());
    }
}
