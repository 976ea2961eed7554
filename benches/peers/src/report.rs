//! The tables, and the lines that a program reads.

use crate::{
    aims::{AIMS, Bound, COUNTS},
    rounds::Series,
    statistics::Summary,
};

pub fn print(series: &[Series]) {
    times(series);
    ratios(series);
    counts(series);
    println!();
    lines(series);
}

fn times(series: &[Series]) {
    println!(
        "{:<36} {:>9} {:>7} {:>20} {:>7}",
        "nanoseconds per call", "median", "spread", "5 % .. 95 %", "allocs"
    );
    for one in series {
        let Some(summary) = Summary::of(&one.nanos) else {
            continue;
        };
        let allocations = one.allocations.map_or("-".to_owned(), |n| n.to_string());
        println!(
            "{:<36} {:>9.0} {:>6.1}% {:>8.0} .. {:>8.0} {:>7}",
            one.name,
            summary.median,
            summary.deviation * 100.0,
            summary.low,
            summary.high,
            allocations
        );
    }
}

fn ratios(series: &[Series]) {
    println!(
        "\n{:<50} {:>8} {:>7} {:>19}  aim",
        "ratio, taken in each round", "median", "spread", "5 % .. 95 %"
    );
    for aim in AIMS {
        let Some(summary) = aim.summary(series) else {
            println!("{:<50} not measured", aim.name);
            continue;
        };
        println!(
            "{:<50} {:>8.3} {:>6.1}% {:>8.3} .. {:>7.3}  {}",
            aim.name,
            summary.median,
            summary.deviation * 100.0,
            summary.low,
            summary.high,
            verdict(aim.bound, summary.median)
        );
    }
}

fn counts(series: &[Series]) {
    for count in COUNTS {
        match count.value(series) {
            Some(value) => {
                let verdict = verdict(count.bound, value as f64);
                println!("{:<50} {value:>8} {:>28}  {verdict}", count.name, "");
            }
            None => println!("{:<50} not counted", count.name),
        }
    }
}

pub fn verdict(bound: Bound, value: f64) -> String {
    let aim = match bound {
        Bound::AtMost(most) => format!("<= {most}"),
        Bound::AtLeast(least) => format!(">= {least}"),
    };
    let verdict = if bound.is_met(value) { "met" } else { "MISSED" };
    format!("{aim:<8} {verdict}")
}

fn lines(series: &[Series]) {
    for aim in AIMS {
        if let Some(summary) = aim.summary(series) {
            println!("ratio {} {:.4}", aim.name, summary.median);
        }
    }
    for count in COUNTS {
        if let Some(value) = count.value(series) {
            println!("ratio {} {value}", count.name);
        }
    }
}
