//! A row of figures.

/// The middle of the figures and how far they lie from it.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub median: f64,
    /// The median absolute deviation, as a share of the median.
    pub deviation: f64,
    /// Where the lowest and the highest twentieth end.
    pub low: f64,
    pub high: f64,
}

impl Summary {
    /// Returns nothing when there are no figures.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let figures = sorted(figures);
        let median = at(&figures, 0.5)?;
        let distances: Vec<f64> = figures.iter().map(|one| (one - median).abs()).collect();
        Some(Self {
            median,
            deviation: at(&sorted(&distances), 0.5)? / median.abs(),
            low: at(&figures, 0.05)?,
            high: at(&figures, 0.95)?,
        })
    }
}

fn sorted(figures: &[f64]) -> Vec<f64> {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures
}

/// The figure that `share` of the sorted figures lie below.
fn at(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    Some(below + (above - below) * place.fract())
}
