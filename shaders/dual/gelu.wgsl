// x·Φ(x): with A = 1+v, B² = 1+2v, Δ² = AA' − K², p = vv' and φ = atan2(K, Δ),
// K_σ = K/4 + [R + Kφ]/2π, R = (K² + pΔ²)/(AA'Δ);  K̇ = 1/4 + φ/2π + K/(2πΔ)·[1/Δ² + (1−p)/AA' + 1].
//
// ½E(σ−σ')² without cancellation, δ = ½E(x−x')²: δ/4 + [T + (R₀ − R) + δφ + (v+v')/2·ψ + (v−v')(α−α')/4]/2π, where
// ψ is the mean of the diagonal angles α, α' less φ; R₀ is R at K = √p; and T, the mean of the diagonal R less R₀, is
// ½[(r−r')²t̄ + ½(r²+r'²)(t + t' − 2t̄) + ½(r²−r'²)(t − t')] with r = v/A, t = B + 1/B, t̄ = √Σ + 1/√Σ, Σ = 1+v+v'.

fn dual(x: DualInput, p: vec4<f32>, nan: f32) -> DualValue {
    let turn = 0.15915494;
    let v = vec2<f32>(x.first.variance, x.second.variance);
    let k = x.cov;
    let product = v.x * v.y;
    let area = (1.0 + v.x) * (1.0 + v.y);
    let more = determinant(x);
    let sigma = 1.0 + v.x + v.y;
    let delta2 = sigma + more;
    let one = inverseSqrt(delta2);
    let other = inverseSqrt(area);
    let delta = delta2 * one;
    let inverse = other * other;
    let angle = right_angle(k, delta, area * other);
    let cov = fma(k, fma(turn, angle, 0.25), turn * one * inverse * fma(k, k, product * delta2));
    let dot = fma(turn, fma(k * one, fma(one, one, fma(1.0 - product, inverse, 1.0)), angle), 0.25);

    let apart = v.x - v.y;
    let b = sqrt(1.0 + 2.0 * v);
    let sum = b.x + b.y;
    let difference = 2.0 * apart / sum;
    let square = difference * difference;
    let root = sqrt(sigma);
    let r = v / (1.0 + v);
    let dr = apart / area;
    let middle = root + 1.0 / root;
    let bend = 0.5 * square * (1.0 + sum / (sum + 2.0 * root)) / (b.x * b.y * root) - square / (sum + 2.0 * root);
    let slope = difference * (1.0 - 1.0 / (b.x * b.y));
    let diagonal = 0.5 * (dr * dr * middle + 0.5 * dot2(r) * bend + 0.5 * dr * (r.x + r.y) * slope);
    let top = product * (1.0 + sigma);
    let off = more * (top / (delta + root) + (1.0 - product) * root) / (area * root * delta);
    let gap = arc_sine_gap(v, k, more, delta);
    let turned = arc_tangent(apart * (b.y - 2.0 * v.y / sum), product + b.x * b.y);
    let distance = x.half;
    let angles = distance * angle + 0.5 * (v.x + v.y) * gap + 0.25 * apart * turned;
    let half = 0.25 * distance + turn * (diagonal + off + angles);
    return DualValue(cov, defect_of(half, x), dot);
}

fn dot2(r: vec2<f32>) -> f32 {
    return r.x * r.x + r.y * r.y;
}
