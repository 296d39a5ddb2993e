//! Rows and columns cut into parts that one dispatch can do: offsets of planes, or positions of a window.

/// Rows and columns from `begin` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rectangle {
    pub(super) begin: [usize; 2],
    pub(super) end: [usize; 2],
}

impl Rectangle {
    /// Cuts `size` rows and columns into parts of at most `most` places: whole rows where one fits. Their places are those of
    /// the whole in the same order, row by row, so that a sum over them does not depend on how they are cut.
    pub(super) fn split(size: [usize; 2], most: usize) -> Vec<Rectangle> {
        let width = size[1].min(most).max(1);
        let height = (most / width).clamp(1, size[0].max(1));
        let mut parts = Vec::new();
        for row in (0..size[0]).step_by(height) {
            for col in (0..size[1]).step_by(width) {
                let end = [(row + height).min(size[0]), (col + width).min(size[1])];
                parts.push(Rectangle { begin: [row, col], end });
            }
        }
        parts
    }

    /// How many places it has.
    pub(super) fn count(&self) -> usize {
        (self.end[0] - self.begin[0]) * (self.end[1] - self.begin[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_places_in_order() {
        for size in [[1, 1], [3, 3], [7, 5], [1, 40], [40, 1]] {
            let all: Vec<[usize; 2]> =
                (0..size[0]).flat_map(|row| (0..size[1]).map(move |col| [row, col])).collect();
            for most in [0, 1, 2, 5, 9, 34, 35, 1000] {
                let parts = Rectangle::split(size, most);
                assert!(
                    parts.iter().all(|part| (1..=most.max(1)).contains(&part.count())),
                    "{size:?} {most}"
                );
                let places = |part: &Rectangle| {
                    let Rectangle { begin, end } = *part;
                    (begin[0]..end[0]).flat_map(move |row| (begin[1]..end[1]).map(move |col| [row, col]))
                };
                let found: Vec<[usize; 2]> = parts.iter().flat_map(places).collect();
                assert_eq!(found, all, "{size:?} in parts of {most}");
            }
        }
    }
}
