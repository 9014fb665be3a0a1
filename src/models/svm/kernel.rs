//! Kernels, and the columns of the kernel matrix that a solver asks for, computed when asked and kept while there is room.

use std::collections::HashMap;
use std::rc::Rc;

use rayon::prelude::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::spec::kinds::KernelName;

/// Largest absolute value of a feature and of a kernel value: sums of their products stay finite.
pub const VALUE_MAX: f64 = 1e75;
/// Likewise of a kernel value.
pub const KERNEL_MAX: f64 = 1e200;
/// Rows from which a column is computed on several threads.
const PARALLEL_ROWS: usize = 512;

/// A kernel with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// Which one.
    pub name: KernelName,
    /// Width of `rbf`, factor of `poly`.
    pub gamma: f64,
    /// Power of `poly`.
    pub degree: u32,
    /// What `poly` adds.
    pub constant: f64,
}

impl Kernel {
    /// How alike two rows of finite values up to [`VALUE_MAX`] are; within ± [`KERNEL_MAX`].
    pub fn of(&self, a: &[f64], b: &[f64]) -> f64 {
        let product = || a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let value = match self.name {
            KernelName::Linear => product(),
            KernelName::Poly => (self.gamma * product() + self.constant).powi(self.degree as i32),
            KernelName::Rbf => {
                let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                (-self.gamma * square).exp()
            }
        };
        value.clamp(-KERNEL_MAX, KERNEL_MAX)
    }
}

/// Columns of the kernel matrix of some rows.
pub struct Columns<'a> {
    kernel: Kernel,
    /// Rows of `width` values.
    points: &'a [f64],
    width: usize,
    /// Most columns kept.
    room: usize,
    /// The columns, with when they were last asked for.
    kept: HashMap<usize, (u64, Rc<[f64]>)>,
    asked: u64,
}

impl<'a> Columns<'a> {
    /// Columns of `points`, rows of `width` values, at most `bytes` of them kept; at least two.
    pub fn new(kernel: Kernel, points: &'a [f64], width: usize, bytes: usize) -> Columns<'a> {
        let rows = points.len() / width;
        let room = (bytes / (rows.max(1) * size_of::<f64>())).max(2);
        Columns { kernel, points, width, room, kept: HashMap::new(), asked: 0 }
    }

    /// Kernel values of every row with itself.
    pub fn diagonal(&self) -> Vec<f64> {
        self.points.chunks_exact(self.width).map(|row| self.kernel.of(row, row)).collect()
    }

    /// Kernel values of `row` with all rows.
    pub fn get(&mut self, row: usize) -> Rc<[f64]> {
        self.asked += 1;
        if let Some((last, column)) = self.kept.get_mut(&row) {
            *last = self.asked;
            return Rc::clone(column);
        }
        if self.kept.len() >= self.room
            && let Some(oldest) = self.kept.iter().min_by_key(|(_, (last, _))| *last).map(|(row, _)| *row)
        {
            self.kept.remove(&oldest);
        }
        let own = &self.points[row * self.width..(row + 1) * self.width];
        let (kernel, width, points) = (self.kernel, self.width, self.points);
        let values: Vec<f64> = (0..points.len() / width)
            .into_par_iter()
            .with_min_len(PARALLEL_ROWS)
            .map(|other| kernel.of(own, &points[other * width..(other + 1) * width]))
            .collect();
        let column: Rc<[f64]> = values.into();
        self.kept.insert(row, (self.asked, Rc::clone(&column)));
        column
    }
}
