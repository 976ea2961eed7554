//! The counts of the last update.

use std::{collections::BTreeMap, env, fs, io, path::PathBuf};

/// A case may become dearer by so many percent. One that becomes cheaper by as many is told, so that
/// the gain is kept.
const TOLERANCE: f64 = 5.0;
const FILE: &str = "benches/instructions.baseline";
/// Above the counts, in the file itself.
const HEAD: &str = "\
# Instructions of each case on x86-64: see benches/instructions/main.rs.
# Written by: cargo bench -p instructions -- --update
";

/// Counts by the name of the case.
pub struct Baseline(BTreeMap<String, u64>);

impl Baseline {
    pub fn read() -> io::Result<Self> {
        let text = fs::read_to_string(path())?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let count = |line: &str| {
            let (name, count) = line.split_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        let wrong = |line| io::Error::other(format!("{FILE}: `{line}` is no name and count"));
        let counts = lines.map(|line| count(line).ok_or_else(|| wrong(line)));
        counts.collect::<io::Result<_>>().map(Self)
    }

    /// Keeps `counts`, and says with what they were counted.
    pub fn write(counts: &[(&str, u64)], version: &str) -> io::Result<()> {
        let lines = counts
            .iter()
            .map(|(name, count)| format!("{name} {count}\n"));
        let lines: String = lines.collect();
        fs::write(path(), format!("{HEAD}# Counted by: {version}\n{lines}"))?;
        println!("{FILE} is written");
        Ok(())
    }

    /// Prints how `counts` compare, and gives what is wrong with them.
    pub fn compare(&self, counts: &[(&str, u64)]) -> Vec<String> {
        let mut wrong = Vec::new();
        println!(
            "{:<36} {:>9} {:>9} {:>8}",
            "case", "baseline", "now", "change"
        );
        for &(name, now) in counts {
            let Some(&before) = self.0.get(name) else {
                println!("{name:<36} {:>9} {now:>9}", "none");
                wrong.push(format!("{name} is not in the baseline"));
                continue;
            };
            let change = (now as f64 / before as f64 - 1.0) * 100.0;
            println!("{name:<36} {before:>9} {now:>9} {change:>+7.2}%");
            if change > TOLERANCE {
                wrong.push(format!("{name} takes {change:.1} % more instructions"));
            } else if change < -TOLERANCE {
                println!(
                    "{:<36} much cheaper: update the baseline, so that it stays so",
                    ""
                );
            }
        }
        wrong
    }
}

fn path() -> PathBuf {
    // Cargo names the folder at every run; where the program was built may be gone.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    PathBuf::from(package).join("../..").join(FILE)
}
