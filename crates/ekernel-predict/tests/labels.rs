//! Several labels for each sample.

use ekernel_predict::{LabelScore, label_scores};
use ndarray::array;

#[test]
fn labels_by_hand() {
    let truth = array![[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]];
    let predicted = array![[0.9, 0.1], [0.4, 0.6], [0.4, 0.2], [0.1, 0.3]];
    let scores = label_scores(predicted.view(), truth.view()).unwrap().unwrap();
    // Pairs of a positive and a negative: 0.9 beats both, 0.4 ties with 0.4 and beats 0.1.
    assert_eq!(scores[0], LabelScore { accuracy: 0.75, auc: Some(3.5 / 4.0), positives: 2 });
    assert_eq!(scores[1], LabelScore { accuracy: 0.75, auc: None, positives: 0 });
    assert_eq!(label_scores(predicted.view(), predicted.view()), Ok(None));
}

#[test]
fn the_area_is_that_of_all_pairs() {
    let n = 60;
    let predicted = ndarray::Array1::from_shape_fn(n, |i| f64::from((i * 37 % 17) as u8));
    let truth = ndarray::Array1::from_shape_fn(n, |i| f64::from((i * 29 % 7 < 3) as u8));
    let (mut wins, mut pairs) = (0.0, 0.0);
    for i in (0..n).filter(|&i| truth[i] == 1.0) {
        for j in (0..n).filter(|&j| truth[j] == 0.0) {
            pairs += 1.0;
            wins += match predicted[i].total_cmp(&predicted[j]) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    let [predicted, truth] = [predicted, truth].map(|column| column.insert_axis(ndarray::Axis(1)));
    let found = label_scores(predicted.view(), truth.view()).unwrap().unwrap()[0].auc.unwrap();
    assert!((found - wins / pairs).abs() < 1e-14);
}
