//! Whether two sets of samples are measured alike.

use ekernel_core::Samples;

/// How many times larger one set may be than the other: 255 is a mistake, a set of dark images is none.
const APART: f64 = 100.0;

/// What is odd where one set reaches a hundred times as far as the other; the words call them `first` and `second`.
///
/// uint8 arrays and images are read as x/255, so that the same pictures saved as floats from 0 to 255 are another scale.
pub fn scale_mismatch(
    (first, first_name): (&Samples, &str),
    (second, second_name): (&Samples, &str),
) -> Option<String> {
    let (one, other) = (reach(first)?, reach(second)?);
    (one.max(other) >= APART * one.min(other)).then(|| {
        format!(
            "{first_name} reach {one:.4}, {second_name} {other:.4}: uint8 is read as x/255, other numbers as they are; save both \
             as uint8, or both as floats of one scale (--normalize unit-range divides floats from 0 to 255 by 255)"
        )
    })
}

/// The largest size of an entry; nothing for molecules and of zeros alone.
fn reach(samples: &Samples) -> Option<f64> {
    let largest = |values: &mut dyn Iterator<Item = &f64>| values.fold(0.0, |m: f64, x| m.max(x.abs()));
    let reach = match samples {
        Samples::Vectors(values) => largest(&mut values.iter()),
        Samples::Images(values) | Samples::Spheres(values) => largest(&mut values.iter()),
        Samples::Molecules(_) => return None,
    };
    (reach > 0.0).then_some(reach)
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;

    #[test]
    fn a_factor_of_255_is_seen_either_way() {
        let images = |value| Samples::Images(Array::from_elem((2, 3, 3, 1), value));
        let odd = |a: &Samples, b: &Samples| scale_mismatch((a, "one"), (b, "other"));
        for (a, b) in [(1.0, 255.0), (255.0, 1.0), (1.0, 1.0 / 255.0), (-200.0, 0.9)] {
            let said = odd(&images(a), &images(b)).unwrap();
            assert!(
                said.starts_with("one reach") && said.contains("uint8") && said.contains("--normalize"),
                "{said}"
            );
        }
        for (a, b) in [(1.0, 0.1), (255.0, 200.0), (1.0, -3.0), (0.0, 255.0), (255.0, 0.0)] {
            assert_eq!(odd(&images(a), &images(b)), None);
        }
        assert_eq!(odd(&Samples::Molecules(vec![]), &Samples::Molecules(vec![])), None);
    }
}
