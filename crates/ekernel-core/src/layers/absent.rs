//! Layers of other libraries that are none here: why, and what stands in for them.

/// The words of each layer, written without `_`, `-` and a dimension at the end, and what to say.
const ABSENT: &[(&[&str], &str)] = &[
    (
        &["maxpooling", "globalmaxpool", "globalmaxpooling", "max"],
        "the covariance of maxima over windows has no closed form; avg_pool, or strides of a conv, reduce the \
         image",
    ),
    (
        &["batchnorm", "batchnormalization"],
        "it ties the samples of a batch together, so that a pair of samples alone has no kernel; layer_norm \
         normalises each sample",
    ),
    (
        &["instancenorm", "groupnorm"],
        "it divides each channel by its own deviation, which stays random at infinite width; layer_norm with \
         over = \"all\" divides by that of all channels",
    ),
    (
        &["attention", "selfattention", "globalselfattention", "multiheadattention", "transformer"],
        "its kernel (Hron et al. 2020) mixes all pairs of positions, which no backend computes; conv and \
         global_avg_pool mix positions",
    ),
    (
        &["lstm", "gru", "rnn"],
        "the kernels of recurrent networks (Yang 2019) are not computed; conv shares weights over positions",
    ),
    (
        &["tanh"],
        "its dual E tanh(u)tanh(u') has no closed form; erf with b = 0.8862 has the same shape and slope at 0",
    ),
    (
        &["sigmoid", "logistic"],
        "its dual has no closed form; erf with a = 0.5, b = 0.4431, c = 0.5 has the same limits and slope at 0",
    ),
    (&["silu", "swish"], "its dual has no closed form; gelu is closest to it"),
    (&["softplus"], "its dual has no closed form; relu and gelu are closest to it"),
    (
        &["elu", "selu", "celu", "mish", "hardswish", "hardsigmoid", "hardtanh", "relu6", "softsign"],
        "its dual is not among those of ekernel; gelu, leaky_relu and erf are closest to activations of this \
         kind",
    ),
    (&["prelu"], "its slope is a parameter that is trained; leaky_relu has a fixed one, alpha"),
    (
        &["softmax", "logsoftmax"],
        "it ties the outputs together; leave it out: the kernel is that of the outputs before it",
    ),
    (&["linear", "fc", "fullyconnected", "affine"], "it is called dense here"),
    (&["conv1d", "conv2d", "convolution"], "it is called conv here"),
    (&["add", "residual", "fansum", "faninsum"], "it is called sum here, with inputs = [\"a\", \"b\"]"),
    (&["reshape", "view"], "it is called flatten here"),
    (&["heaviside", "step"], "sign is the step function of ekernel"),
];

/// Why a layer of this name is none here and what would do, where other libraries have it.
pub(super) fn absent(op: &str) -> Option<&'static str> {
    let plain: String = op.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let bare = ["1d", "2d", "3d"].iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(&plain);
    let is_meant = |names: &[&str]| names.contains(&plain.as_str()) || names.contains(&bare);
    ABSENT.iter().find(|(names, _)| is_meant(names)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layer, Network};

    #[test]
    fn what_is_absent_is_no_layer() {
        for name in ABSENT.iter().flat_map(|(names, _)| *names) {
            assert!(Layer::names().all(|layer| layer.replace('_', "") != **name), "{name}");
        }
    }

    #[test]
    fn spellings_of_other_libraries_are_known() {
        for op in
            ["MaxPooling2D", "GlobalMaxPool", "BatchNorm", "SiLU", "Tanh", "global-self-attention", "Linear"]
        {
            let text = format!(
                "[input]\nspace = \"vector\"\nshape = [2]\n[[layers]]\nop = \"dense\"\n[[layers]]\nop = \"{op}\""
            );
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.contains(op) && error.contains(absent(op).unwrap()), "{op}: {error}");
        }
        assert_eq!(absent("relu"), None);
    }

    /// The words of the text name layers, and their numbers have the slopes of what they stand for.
    #[test]
    fn stand_ins_have_the_slopes_of_what_they_replace() {
        use crate::Activation;
        let tanh = Activation::Erf { a: 1.0, b: 0.8862, c: 0.0 };
        let sigmoid = Activation::Erf { a: 0.5, b: 0.4431, c: 0.5 };
        assert!((tanh.derivative(0.0) - 1.0).abs() < 1e-4);
        assert!((sigmoid.derivative(0.0) - 0.25).abs() < 1e-4);
        assert_eq!((sigmoid.value(50.0), sigmoid.value(-50.0)), (1.0, 0.0));
    }
}
