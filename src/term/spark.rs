//! A distribution as one word: a bar for each bin.

/// How bars are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bars {
    /// Block elements of Unicode.
    Blocks,
    /// Letters of ASCII, for terminals that know no others.
    Ascii,
}

impl Bars {
    fn steps(self) -> &'static [char] {
        match self {
            Bars::Blocks => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Bars::Ascii => &['.', ':', '-', '=', '+', '*', '#', '@'],
        }
    }

    /// One character a count: a space for none, the highest for the largest, the others in proportion.
    pub fn draw(self, counts: impl Iterator<Item = f64> + Clone) -> String {
        let most = counts.clone().fold(0.0, f64::max);
        let steps = self.steps();
        let bar = |count: f64| match count {
            count if count > 0.0 => {
                steps[((count / most * steps.len() as f64).ceil() as usize).clamp(1, steps.len()) - 1]
            }
            _ => ' ',
        };
        counts.map(bar).collect()
    }
}
