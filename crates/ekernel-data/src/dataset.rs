//! Samples with their targets, and how they are read.

use ekernel_core::Samples;
use ndarray::Array1;

use crate::error::DataError;
use crate::place::Place;
use crate::target_kind::TargetKind;
use crate::targets::Targets;

/// Samples and, where the source has them, their targets: as many, in the same order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The inputs.
    pub samples: Samples,
    /// What is to be predicted.
    pub targets: Option<Targets>,
    /// A name for each sample, where the source has them: `class/image.png` of a folder of images, rows of a table or of a
    /// part of an array.
    pub names: Option<Vec<String>>,
    /// Names of the features, where a table has them.
    pub features: Option<Vec<String>>,
    /// The columns of a table that are targets and their noise, and so no features of another set.
    pub target_columns: Vec<String>,
    /// Standard deviation of the noise of each target, where the source names it.
    pub noise: Option<Array1<f64>>,
    /// What the reader did beside reading, for reports: `resized to 32x32, …`. Empty if nothing.
    pub note: String,
    /// What the targets may be instead, where their type does not say it for sure: `60 different integers are taken for
    /// classes …`.
    pub doubt: Option<String>,
}

/// How samples and targets are read. Choices that a source does not leave are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Height and width to resize images to. Without it they must all have one size.
    pub image_size: Option<(usize, usize)>,
    /// Channels of the images.
    pub color: Color,
    /// Images of each class at most, the first by name.
    pub per_class: Option<usize>,
    /// What targets in arrays are.
    pub targets: TargetKind,
    /// Columns of tables that are no features.
    pub ignored_columns: Vec<String>,
}

/// Channels of the images of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// One channel if every image is grey, else three.
    #[default]
    AsStored,
    /// One channel; colours become luma (0.2126 R + 0.7152 G + 0.0722 B).
    Grey,
    /// Three channels; grey is repeated.
    Rgb,
}

impl ReadOptions {
    /// Refuses what is asked of a folder of images where there is none.
    pub(crate) fn ensure_unused(&self, path: &std::path::Path) -> Result<(), DataError> {
        let asked = [
            (self.image_size.is_some(), "resizing"),
            (self.color != Color::AsStored, "a choice of color"),
            (self.per_class.is_some(), "a limit per class"),
        ];
        match asked.into_iter().find(|(asked, _)| *asked) {
            None => Ok(()),
            Some((_, option)) => Err(DataError::OnlyForFolders { path: path.to_owned(), option }),
        }
    }
}

impl Dataset {
    /// Samples alone.
    pub fn of(samples: Samples) -> Dataset {
        Dataset {
            samples,
            targets: None,
            names: None,
            features: None,
            target_columns: Vec::new(),
            noise: None,
            note: String::new(),
            doubt: None,
        }
    }

    /// Puts samples and targets together.
    pub(crate) fn checked(
        samples: Samples,
        inputs: Place,
        targets: Option<(Targets, Place)>,
    ) -> Result<Dataset, DataError> {
        if let Some((targets, place)) = &targets
            && targets.len() != samples.len()
        {
            return Err(DataError::Lengths {
                inputs: Box::new(inputs),
                n_inputs: samples.len(),
                targets: Box::new(place.clone()),
                n_targets: targets.len(),
            });
        }
        Ok(Dataset { targets: targets.map(|(targets, _)| targets), ..Dataset::of(samples) })
    }
}
