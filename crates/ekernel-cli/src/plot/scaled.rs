//! A canvas of pixels that shows a picture larger than it is drawn: lines and letters are drawn at the larger size, so that text
//! is as even and sharp as in the SVG.

use plotters::{
    prelude::{DrawingBackend, TextStyle},
    style::FontDesc,
};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

use super::letters::in_letters;

/// How many pixels stand for one, along each side.
pub(super) const SCALE: u32 = 2;

/// Another backend behind the scale.
pub(super) struct Scaled<B>(pub(super) B);

type Drawn<B> = Result<(), DrawingErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A style of thicker lines.
struct Thick {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Thick {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

fn thick(style: &impl BackendStyle) -> Thick {
    Thick { color: style.color(), width: style.stroke_width() * SCALE }
}

fn at((x, y): BackendCoord) -> BackendCoord {
    (x * SCALE as i32, y * SCALE as i32)
}

impl<B: DrawingBackend> DrawingBackend for Scaled<B> {
    type ErrorType = B::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        let (width, height) = self.0.get_size();
        (width / SCALE, height / SCALE)
    }

    fn ensure_prepared(&mut self) -> Drawn<B> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<B> {
        self.0.present()
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn<B> {
        let (x, y) = at(point);
        let end = SCALE as i32 - 1;
        self.0.draw_rect((x, y), (x + end, y + end), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn<B> {
        self.0.draw_line(at(from), at(to), &thick(style))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<B> {
        self.0.draw_rect(at(upper_left), at(bottom_right), &thick(style), fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn<B> {
        self.0.draw_path(path.into_iter().map(at), &thick(style))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn<B> {
        self.0.draw_circle(at(center), radius * SCALE, &thick(style), fill)
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn<B> {
        self.0.fill_polygon(vert.into_iter().map(at), &thick(style))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Drawn<B> {
        let font = FontDesc::new(style.family(), style.size() * f64::from(SCALE), style.style());
        let font = font.transform(style.transform());
        let larger = TextStyle { font, color: style.color(), pos: style.anchor() };
        self.0.draw_text(&in_letters(text), &larger, at(pos))
    }
}
