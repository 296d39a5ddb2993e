//! Turned copies of training images, and the order in which samples are learned.

use ekernel_core::{Group, GroupElement, Samples};
use ndarray::{Axis, stack};

use crate::{
    error::FiniteError,
    random::{Name, Purpose, Stream},
};

/// Which turned copies of the training images are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augmentation {
    /// The images as they are.
    None,
    /// All copies of each image, in the same step.
    Full(Group),
    /// One copy of each image, drawn in every epoch.
    Random(Group),
}

impl Augmentation {
    fn group(self) -> Group {
        match self {
            Augmentation::None => Group::C1,
            Augmentation::Full(group) | Augmentation::Random(group) => group,
        }
    }

    /// The copies of the samples, one set for each element of the group.
    pub(crate) fn copies(self, samples: &Samples) -> Result<Vec<Samples>, FiniteError> {
        let group = self.group();
        match samples {
            Samples::Images(images) => {
                let (_, height, width, _) = images.dim();
                if group.swaps_axes() && height != width {
                    return Err(FiniteError::NotSquare { group, height, width });
                }
            }
            _ if group != Group::C1 => return Err(FiniteError::NoImages { group }),
            _ => {}
        }
        Ok(group.elements().into_iter().map(|element| turned(samples, element)).collect())
    }

    /// The samples of each step of an epoch: copies are numbered `sample + samples · copy`.
    pub(crate) fn steps(self, name: Name, epoch: usize, samples: usize, batch: usize) -> Vec<Vec<usize>> {
        let copies = self.group().order();
        let mut stream = Stream::new(name, Purpose::Order, epoch as u64, 0);
        let mut order: Vec<usize> = match self {
            Augmentation::Random(_) => (0..samples).map(|i| i + samples * stream.below(copies)).collect(),
            Augmentation::None | Augmentation::Full(_) => (0..samples).collect(),
        };
        // Fisher and Yates.
        for i in (1..order.len()).rev() {
            order.swap(i, stream.below(i + 1));
        }
        let all = |part: &[usize]| match self {
            Augmentation::Full(_) => {
                (0..copies).flat_map(|copy| part.iter().map(move |i| i + samples * copy)).collect()
            }
            _ => part.to_vec(),
        };
        order.chunks(batch).map(all).collect()
    }
}

/// Images turned by an element of a group; other samples as they are.
fn turned(samples: &Samples, element: GroupElement) -> Samples {
    let Samples::Images(images) = samples else { return samples.clone() };
    if images.is_empty() {
        return samples.clone();
    }
    let turned: Vec<_> = images.outer_iter().map(|image| element.apply(image)).collect();
    let views: Vec<_> = turned.iter().map(|image| image.view()).collect();
    Samples::Images(stack(Axis(0), &views).expect("copies turns square images, or keeps the axes"))
}
