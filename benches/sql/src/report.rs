//! The measurements, as text.

/// Ratios, and what they shall be.
#[derive(Default)]
pub struct Report(Vec<String>);

/// The rates of one part, a figure for each round.
pub struct Rates {
    pub name: &'static str,
    pub per_second: Vec<f64>,
}

impl Report {
    /// Notes how many times as fast `part` is as `beside`.
    pub fn ratio(&mut self, name: &str, part: &Rates, beside: &Rates, aim: Option<f64>) {
        let pairs = part.per_second.iter().zip(&beside.per_second);
        let ratios: Vec<f64> = pairs.map(|(part, beside)| part / beside).collect();
        let aim = aim.map_or_else(String::new, |aim| format!(" (aim: at least {aim:.1})"));
        self.0
            .push(format!("ratio {name} {:.2}{aim}", median(&ratios)));
    }

    /// Says what each part does, at once, so that a long run shows where it is.
    pub fn rates(&self, what: &str, rates: &[&Rates]) {
        println!("{what}, rotations a second where nothing else is said:");
        for Rates { name, per_second } in rates {
            println!("  {:8.0}  {name}", median(per_second));
        }
    }

    pub fn print(&self) {
        println!();
        for line in &self.0 {
            println!("{line}");
        }
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
