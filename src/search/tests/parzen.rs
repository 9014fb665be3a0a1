//! Densities integrate to one, and draws follow them.

use crate::base::seed::Seed;
use crate::search::parzen::{Axis, Mixture, Normal, Places};

fn mixture() -> Mixture {
    let columns = [vec![0.05, 0.4, 0.45, 0.99], vec![0.0, 2.0, 2.0, 1.0]];
    let orders = [vec![0, 1, 2, 3], vec![0, 3, 1, 2]];
    let places = Places { columns: &columns, orders: &orders, kernels: &[0, 1, u32::MAX, 2] };
    let mut mixture = Mixture::default();
    mixture.build(&[Axis::Line { cell: 0.0 }, Axis::Choices(3)], &places, &[1.0, 0.5, 0.25], &Normal::default());
    mixture
}

#[test]
fn a_density_integrates_to_one() {
    let mut mixture = mixture();
    let mut total = 0.0;
    for choice in 0..3 {
        for at in 0..10_000 {
            total += mixture.log_density(&[(f64::from(at) + 0.5) / 1e4, f64::from(choice)]).exp() / 1e4;
        }
    }
    assert!((total - 1.0).abs() < 1e-5, "{total}");
}

#[test]
fn draws_follow_the_density() {
    let mut mixture = mixture();
    let mut wanted = [0.0; 12];
    let cell = |place: f64, choice: f64| (place * 4.0) as usize + 4 * choice as usize;
    for at in 0..1_000 {
        let place = (f64::from(at) + 0.5) / 1e3;
        for choice in [0.0, 1.0, 2.0] {
            wanted[cell(place, choice)] += mixture.log_density(&[place, choice]).exp() / 1e3;
        }
    }
    let (mut rng, mut point, mut found) = (Seed(5).rng(), Vec::new(), [0.0; 12]);
    for _ in 0..100_000 {
        mixture.draw(&mut rng, &mut point);
        found[cell(point[0].min(0.999_999), point[1])] += 1e-5;
    }
    // Four standard deviations of a share of 100,000 draws.
    for (wanted, found) in wanted.iter().zip(&found) {
        assert!((wanted - found).abs() < 4.0 * (wanted / 1e5_f64).sqrt() + 1e-4, "{wanted} {found}");
    }
}
