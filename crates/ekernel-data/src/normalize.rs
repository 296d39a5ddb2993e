//! Normalisation of samples, with parameters from the training samples only.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ekernel_core::Samples;
use ndarray::{Array, Axis, RemoveAxis};

use crate::error::DataError;
use crate::place::nearest_first;
use crate::whitening::Whitening;

/// Which normalisation to use. Text form, for options: the words in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Normalization {
    /// `none`: samples as read (arrays and images of bytes are in [0, 1] already).
    #[default]
    None,
    /// `unit-range`: x/255, for float arrays that hold byte values.
    UnitRange,
    /// `standardize`: (x − mean_c)/std_c per channel c of images and spheres or feature c of vectors, over the training
    /// samples; std is the population one (divisor n), and a constant channel is only centred.
    Standardize,
    /// `per-image`: (x − mean(x))/std(x) over all entries of each sample by itself; a constant sample becomes zero.
    PerImage,
    /// `zca`, `zca:BIAS`: each sample to mean 0 and norm 1 by itself, then (C + bias·1)^(−1/2) with the second moments C of the
    /// flattened training samples, as "Neural Kernels Without Tangents" prepares images; bias is [`Normalization::BIAS`] or as given.
    Zca {
        /// What is added to the second moments, above 0.
        bias: f64,
    },
}

/// A normalisation with its parameters. Its text form is one line that reads back as the same value, but for `zca`, whose matrix fits in no line; for reports:
/// `standardize mean=[0.4914,0.4822,0.4465] std=[0.247,0.2435,0.2616]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Normalizer {
    /// Samples as read.
    None,
    /// x/255.
    UnitRange,
    /// (x − mean_c)/std_c.
    Standardize {
        /// Per channel or feature.
        mean: Vec<f64>,
        /// Per channel or feature; 1 where the training samples are constant.
        std: Vec<f64>,
    },
    /// (x − mean(x))/std(x).
    PerImage,
    /// Whitening.
    Zca(Arc<Whitening>),
}

const WORDS: [(&str, Normalization); 5] = [
    ("none", Normalization::None),
    ("unit-range", Normalization::UnitRange),
    ("standardize", Normalization::Standardize),
    ("per-image", Normalization::PerImage),
    ("zca", Normalization::Zca { bias: Normalization::BIAS }),
];

/// Spreads below this share of the magnitude are rounding, not variation.
const CONSTANT: f64 = 1e-12;

impl Normalization {
    /// The bias of `zca` where none is given, that of the code of "Neural Kernels Without Tangents".
    pub const BIAS: f64 = 1e-4;

    /// Whether each sample is brought to a scale of its own.
    pub fn scales_each_sample(self) -> bool {
        matches!(self, Normalization::PerImage | Normalization::Zca { .. })
    }

    /// Takes the parameters from the training samples.
    ///
    /// # Errors
    /// [`DataError::AlreadyUnitRange`] for `unit-range` on samples that are within [0, 1];
    /// [`DataError::NormalizationMolecules`] for anything but `none` on molecules; of `zca` [`DataError::TooLarge`] where its
    /// matrices have no room, and [`DataError::NoConvergence`].
    pub fn fit(self, train: &Samples) -> Result<Normalizer, DataError> {
        if let (true, Samples::Molecules(_)) = (self != Normalization::None, train) {
            return Err(DataError::NormalizationMolecules { text: self.to_string() });
        }
        Ok(match self {
            Normalization::None => Normalizer::None,
            Normalization::UnitRange => {
                let largest = match train {
                    Samples::Vectors(x) => x.iter().copied().fold(0.0, f64::max),
                    Samples::Images(x) | Samples::Spheres(x) => x.iter().copied().fold(0.0, f64::max),
                    Samples::Molecules(_) => 0.0,
                };
                if largest > 0.0 && largest <= 1.0 {
                    return Err(DataError::AlreadyUnitRange { largest });
                }
                Normalizer::UnitRange
            }
            Normalization::Standardize => {
                let (mean, std) = moments(train);
                Normalizer::Standardize { mean, std }
            }
            Normalization::PerImage => Normalizer::PerImage,
            Normalization::Zca { bias } => Normalizer::Zca(Arc::new(Whitening::fit(bias, train)?)),
        })
    }
}

impl Normalizer {
    /// Normalises samples, in place.
    ///
    /// # Errors
    /// [`DataError::NormalizationChannels`] if the samples have another number of channels than those it was
    /// fitted to, of `zca` [`DataError::NormalizationShape`] for another shape; [`DataError::NormalizationMolecules`] for
    /// molecules.
    pub fn apply(&self, samples: Samples) -> Result<Samples, DataError> {
        let molecules = || DataError::NormalizationMolecules { text: self.to_string() };
        match self {
            Normalizer::None => Ok(samples),
            Normalizer::UnitRange => Ok(match samples {
                Samples::Vectors(x) => Samples::Vectors(x / 255.0),
                Samples::Images(x) => Samples::Images(x / 255.0),
                Samples::Spheres(x) => Samples::Spheres(x / 255.0),
                Samples::Molecules(_) => return Err(molecules()),
            }),
            Normalizer::Standardize { mean, std } => {
                if let Samples::Molecules(_) = samples {
                    return Err(molecules());
                }
                let found = *samples.sample_shape().last().unwrap_or(&0);
                if found != mean.len() {
                    return Err(DataError::NormalizationChannels { fitted: mean.len(), found });
                }
                let change = |values: &mut dyn Iterator<Item = &mut f64>, c: usize| {
                    values.for_each(|value| *value = (*value - mean[c]) / std[c]);
                };
                Ok(match samples {
                    Samples::Vectors(x) => Samples::Vectors(per_channel(x, &change)),
                    Samples::Images(x) => Samples::Images(per_channel(x, &change)),
                    Samples::Spheres(x) => Samples::Spheres(per_channel(x, &change)),
                    Samples::Molecules(_) => return Err(molecules()),
                })
            }
            Normalizer::PerImage => Ok(match samples {
                Samples::Vectors(x) => Samples::Vectors(per_sample(x)),
                Samples::Images(x) => Samples::Images(per_sample(x)),
                Samples::Spheres(x) => Samples::Spheres(per_sample(x)),
                Samples::Molecules(_) => return Err(molecules()),
            }),
            Normalizer::Zca(_) if matches!(samples, Samples::Molecules(_)) => Err(molecules()),
            Normalizer::Zca(whitening) => whitening.apply(samples),
        }
    }
}

/// Changes the values of every channel c, the last axis, by `change(values, c)`.
fn per_channel<D: RemoveAxis>(
    mut x: Array<f64, D>,
    change: &dyn Fn(&mut dyn Iterator<Item = &mut f64>, usize),
) -> Array<f64, D> {
    let last = Axis(x.ndim() - 1);
    for (c, mut values) in x.axis_iter_mut(last).enumerate() {
        change(&mut values.iter_mut(), c);
    }
    x
}

/// Each sample minus its mean, over its standard deviation.
fn per_sample<D: RemoveAxis>(mut x: Array<f64, D>) -> Array<f64, D> {
    for mut sample in x.outer_iter_mut() {
        let (mean, std) = mean_and_std(sample.iter().copied());
        sample.mapv_inplace(|value| (value - mean) / std);
    }
    x
}

fn moments(samples: &Samples) -> (Vec<f64>, Vec<f64>) {
    match samples {
        Samples::Vectors(x) => {
            x.axis_iter(Axis(1)).map(|column| mean_and_std(column.iter().copied())).unzip()
        }
        Samples::Images(x) | Samples::Spheres(x) => {
            x.axis_iter(Axis(3)).map(|plane| mean_and_std(plane.iter().copied())).unzip()
        }
        Samples::Molecules(_) => (Vec::new(), Vec::new()),
    }
}

/// Mean and population standard deviation in two passes; (mean, 1) for a constant sequence.
fn mean_and_std(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let std = (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    if std <= CONSTANT * mean.abs() { (mean, 1.0) } else { (mean, std) }
}

impl FromStr for Normalization {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Normalization, DataError> {
        if let Some(bias) = text.strip_prefix("zca:") {
            return match bias.parse::<f64>() {
                Ok(bias) if bias > 0.0 && bias.is_finite() => Ok(Normalization::Zca { bias }),
                _ => Err(DataError::NormalizationText {
                    text: text.to_owned(),
                    reason: "the bias of zca is a number above 0, such as zca:1e-4".to_owned(),
                }),
            };
        }
        WORDS.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words = nearest_first(text, WORDS.map(|(word, _)| word.to_owned()).to_vec());
            DataError::NormalizationText {
                text: text.to_owned(),
                reason: format!("known are {}", words.join(", ")),
            }
        })
    }
}

impl fmt::Display for Normalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (WORDS.iter().find(|(_, value)| value == self), self) {
            (Some((word, _)), _) => f.write_str(word),
            (None, Normalization::Zca { bias }) => write!(f, "zca:{bias:?}"),
            (None, _) => f.write_str("none"),
        }
    }
}

impl fmt::Display for Normalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Normalizer::None => f.write_str("none"),
            Normalizer::UnitRange => f.write_str("unit-range"),
            Normalizer::PerImage => f.write_str("per-image"),
            Normalizer::Zca(whitening) => write!(f, "zca bias={:?}", whitening.bias()),
            Normalizer::Standardize { mean, std } => {
                let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
                write!(f, "standardize mean=[{}] std=[{}]", list(mean), list(std))
            }
        }
    }
}

impl FromStr for Normalizer {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Normalizer, DataError> {
        let fault =
            |reason: &str| DataError::NormalizationText { text: text.to_owned(), reason: reason.to_owned() };
        match text.split_once(' ') {
            None => match text.parse()? {
                Normalization::None => Ok(Normalizer::None),
                Normalization::UnitRange => Ok(Normalizer::UnitRange),
                Normalization::PerImage => Ok(Normalizer::PerImage),
                Normalization::Standardize => Err(fault("mean=[…] and std=[…] are missing")),
                Normalization::Zca { .. } => Err(fault("its matrix fits in no line; fit it anew")),
            },
            Some(("standardize", parameters)) => {
                let list = |text: &str| -> Option<Vec<f64>> {
                    text.split(',')
                        .map(|value| value.parse().ok().filter(|value: &f64| value.is_finite()))
                        .collect()
                };
                let (mean, std) = parameters
                    .strip_prefix("mean=[")
                    .and_then(|rest| rest.strip_suffix(']'))
                    .and_then(|rest| rest.split_once("] std=["))
                    .and_then(|(mean, std)| Some((list(mean)?, list(std)?)))
                    .ok_or_else(|| fault("expected is mean=[numbers] std=[numbers]"))?;
                if mean.len() != std.len() || std.iter().any(|&std| std <= 0.0) {
                    return Err(fault("there must be as many std as mean, all above zero"));
                }
                Ok(Normalizer::Standardize { mean, std })
            }
            Some(_) => Err(fault("only standardize has parameters")),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, array};

    use super::*;

    fn images() -> Samples {
        let mut x = Array4::from_shape_fn((3, 2, 2, 2), |(n, h, w, _)| (n * 4 + h * 2 + w) as f64);
        x.index_axis_mut(Axis(3), 1).fill(0.3);
        Samples::Images(x)
    }

    fn vectors() -> Samples {
        Samples::Vectors(array![[1.0, 5.0], [3.0, 5.0]])
    }

    #[test]
    fn standardize_takes_its_parameters_from_the_training_samples() {
        let fitted = Normalization::Standardize.fit(&images()).unwrap();
        // 0..11: mean 5.5, variance (144 − 1)/12; the second channel is constant and only centred.
        let Normalizer::Standardize { mean, std } = &fitted else { panic!("parameters expected") };
        assert!((mean[0] - 5.5).abs() < 1e-15 && (mean[1] - 0.3).abs() < 1e-15);
        assert!((std[0] - (143.0f64 / 12.0).sqrt()).abs() < 1e-15);
        assert_eq!(std[1], 1.0);

        let test = Samples::Images(Array4::from_elem((1, 1, 1, 2), 5.5));
        let Samples::Images(test) = fitted.apply(test).unwrap() else { panic!("images expected") };
        assert!((test[[0, 0, 0, 0]]).abs() < 1e-15);
        assert!((test[[0, 0, 0, 1]] - 5.2).abs() < 1e-15);

        let Samples::Vectors(x) =
            Normalization::Standardize.fit(&vectors()).unwrap().apply(vectors()).unwrap()
        else {
            panic!("vectors expected")
        };
        assert_eq!(x, array![[-1.0, 0.0], [1.0, 0.0]]);
        assert!(matches!(
            fitted.apply(Samples::Images(Array4::zeros((1, 2, 2, 3)))),
            Err(DataError::NormalizationChannels { fitted: 2, found: 3 })
        ));
    }

    #[test]
    fn the_others() {
        let half = Samples::Vectors(array![[0.5, 1.0]]);
        assert!(matches!(Normalization::UnitRange.fit(&half), Err(DataError::AlreadyUnitRange { .. })));
        let bytes = Samples::Vectors(array![[51.0, 255.0]]);
        let scaled = Normalization::UnitRange.fit(&bytes).unwrap().apply(bytes).unwrap();
        assert_eq!(scaled, Samples::Vectors(array![[0.2, 1.0]]));
        assert_eq!(Normalization::None.fit(&half).unwrap().apply(half.clone()).unwrap(), half);
        let each = Samples::Vectors(array![[1.0, 3.0], [7.0, 7.0]]);
        let each = Normalization::PerImage.fit(&each).unwrap().apply(each).unwrap();
        assert_eq!(each, Samples::Vectors(array![[-1.0, 1.0], [0.0, 0.0]]));
    }

    #[test]
    fn spheres_are_images_and_molecules_are_not() {
        let Samples::Images(pixels) = images() else { panic!("images expected") };
        for kind in [Normalization::Standardize, Normalization::PerImage] {
            let fitted = kind.fit(&images()).unwrap();
            assert_eq!(kind.fit(&Samples::Spheres(pixels.clone())).unwrap(), fitted);
            let Samples::Images(expected) = fitted.apply(images()).unwrap() else {
                panic!("images expected")
            };
            assert_eq!(fitted.apply(Samples::Spheres(pixels.clone())).unwrap(), Samples::Spheres(expected));
        }
        let water = || {
            let positions = array![[0.0, 0.0, 0.1], [0.0, 0.8, -0.5], [0.0, -0.8, -0.5]];
            Samples::Molecules(vec![ekernel_core::Molecule { charges: vec![8, 1, 1], positions }])
        };
        assert_eq!(Normalization::None.fit(&water()).unwrap().apply(water()).unwrap(), water());
        for (word, kind) in WORDS.into_iter().skip(1) {
            let fault = kind.fit(&water()).unwrap_err().to_string();
            assert!(fault.contains(word) && fault.contains("molecules"), "{fault}");
            let fitted = Normalizer::Standardize { mean: vec![0.0], std: vec![1.0] };
            assert!(matches!(fitted.apply(water()), Err(DataError::NormalizationMolecules { .. })));
        }
    }

    #[test]
    fn text_reads_back_as_the_same_value() {
        for (_, kind) in WORDS.into_iter().chain([("", Normalization::Zca { bias: 2.5e-7 })]) {
            assert_eq!(kind.to_string().parse::<Normalization>().unwrap(), kind);
            let fitted = kind.fit(&images()).unwrap();
            match kind {
                Normalization::Zca { bias } => assert_eq!(fitted.to_string(), format!("zca bias={bias:?}")),
                _ => assert_eq!(fitted.to_string().parse::<Normalizer>().unwrap(), fitted),
            }
        }
        for text in ["zca:0", "zca:-1", "zca:nan", "zca:", "zca:inf"] {
            assert!(text.parse::<Normalization>().unwrap_err().to_string().contains("above 0"), "{text}");
        }
        let fault = "standardise".parse::<Normalization>().unwrap_err().to_string();
        assert!(fault.contains("known are standardize, "), "{fault}");
        for text in [
            "standardize",
            "none x",
            "standardize mean=[1] std=[0]",
            "standardize mean=[1,2] std=[1]",
            "standardize mean=[a] std=[1]",
            "standardize mean=[inf] std=[1]",
        ] {
            assert!(text.parse::<Normalizer>().is_err(), "{text}");
        }
    }
}
