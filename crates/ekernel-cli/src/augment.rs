//! Kernels averaged over training samples and their mirror images.

use clap::ValueEnum;
use ekernel_core::{Group, Kernels, Pairs, Samples};
use ndarray::{Array2, Axis, concatenate};

use crate::{
    architecture::{Architecture, located},
    args::BackendName,
    failure::mistake,
    kernels::{Computed, Computer},
};

/// What images are augmented by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Augment {
    /// The left-right mirror image.
    Flip,
}

impl Augment {
    /// The word of the option.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Augment::Flip => "flip",
        }
    }

    /// Refuses samples that have no mirror image, and networks whose kernel of two mirrored images is not that of the images.
    pub(crate) fn ensure_fits(
        self,
        architectures: &[Architecture],
        backend: BackendName,
    ) -> anyhow::Result<()> {
        if backend == BackendName::Finite {
            return Err(mistake(format!(
                "--augment {}: the means of sampled kernels are no kernels; leave it out, or --backend finite",
                self.name()
            )));
        }
        for architecture in architectures {
            let Architecture { path, network, .. } = architecture;
            if !matches!(network.input(), ekernel_core::Input::Image { .. }) {
                return Err(mistake(format!(
                    "--augment {}: {} reads no images, which alone have mirror images; leave it out",
                    self.name(),
                    path.display()
                )));
            }
            network.ensure_commutes_with_mirrors().map_err(|error| located(path, error))?;
        }
        Ok(())
    }

    /// The mirror images, in the same order.
    pub(crate) fn of(self, samples: &Samples) -> Samples {
        let Samples::Images(images) = samples else { return samples.clone() };
        let mut mirrored = images.clone();
        // The identity comes first.
        for element in Group::D1.elements().into_iter().skip(1) {
            for (mut copy, image) in mirrored.outer_iter_mut().zip(images.outer_iter()) {
                copy.assign(&element.apply(image));
            }
        }
        Samples::Images(mirrored)
    }

    /// The samples and behind them their mirror images.
    pub(crate) fn with_copies(self, samples: &Samples) -> Samples {
        match (samples, self.of(samples)) {
            (Samples::Images(images), Samples::Images(copies)) => {
                let both = concatenate(Axis(0), &[images.view(), copies.view()]);
                Samples::Images(both.expect("mirror images have the shape of the images"))
            }
            (samples, _) => samples.clone(),
        }
    }
}

impl Computer<'_> {
    /// [`Computer::gram`], or with an augmentation the mean of it and of that with the second samples mirrored.
    pub(crate) fn augmented(
        &self,
        augment: Option<Augment>,
        pairs: Pairs,
        label: &str,
        part: &str,
    ) -> anyhow::Result<Computed> {
        let mirrored = augment.map(|augment| {
            Pairs::cross(pairs.first().clone(), std::sync::Arc::new(augment.of(pairs.second())))
        });
        let symmetric = pairs.is_symmetric();
        let plain = self.gram(pairs, label, part)?;
        let Some(mirrored) = mirrored else { return Ok(plain) };
        let part = if part.is_empty() { String::new() } else { format!("{part}-mirrored") };
        let other = self.gram(mirrored, &format!("{label}, mirrored"), &part)?;
        let mean = |plain: Array2<f64>, other: Array2<f64>| mean(plain, other, symmetric);
        let kernels = Kernels {
            nngp: mean(plain.kernels.nngp, other.kernels.nngp),
            ntk: plain.kernels.ntk.zip(other.kernels.ntk).map(|(plain, other)| mean(plain, other)),
        };
        Ok(Computed { kernels, work: plain.work.and(other.work) })
    }
}

/// ½(K + M); of a set with itself M is symmetric too, up to rounding, which the mean with its transpose evens out.
fn mean(plain: Array2<f64>, other: Array2<f64>, symmetric: bool) -> Array2<f64> {
    let other = if symmetric { 0.5 * (&other + &other.t()) } else { other };
    0.5 * (plain + other)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, array};

    use super::*;

    #[test]
    fn mirror_images_are_left_right() {
        let images = Array4::from_shape_vec((1, 2, 3, 1), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let mirrored = Array4::from_shape_vec((1, 2, 3, 1), vec![3.0, 2.0, 1.0, 6.0, 5.0, 4.0]).unwrap();
        let samples = Samples::Images(images);
        assert_eq!(Augment::Flip.of(&samples), Samples::Images(mirrored.clone()));
        let both = Augment::Flip.with_copies(&samples);
        assert_eq!(both.len(), 2);
        assert_eq!(both.select(&[1]), Samples::Images(mirrored));
    }

    #[test]
    fn means_are_symmetric_where_kernels_are() {
        let (plain, other) = (array![[4.0, 2.0], [2.0, 8.0]], array![[2.0, 1.0], [3.0, 0.0]]);
        assert_eq!(mean(plain.clone(), other.clone(), true), array![[3.0, 2.0], [2.0, 4.0]]);
        assert_eq!(mean(plain, other, false), array![[3.0, 1.5], [2.5, 4.0]]);
    }
}
