//! What a request costs: our proxy beside HAProxy and nginx, interleaved in one run.
//!
//! Each proxy gets core 0 for itself, with one worker; the load and the endpoint share core 1. What is
//! compared is the CPU time of the proxy for each answered request: unlike requests per second, it hardly
//! depends on what else the machine does. The least of all rounds counts, since neighbours only ever add.
//!
//! `cargo bench --bench proxy -- [ROUNDS] [SECONDS]`
//!
//! | file | what |
//! |---|---|
//! | [`contender`] | the proxies, and their configurations |
//! | [`endpoint`] | what they forward to |
//! | [`load`] | the clients |
//! | [`serve`] | our proxy as a process of its own, without anything around it |

mod contender;
mod endpoint;
mod load;
mod serve;

use anyhow::{Context, Result};
use contender::{Contender, Kind};
use load::{CELLS, Cell, Sample};
use std::time::Duration;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => serve::run(),
        ["endpoint"] => endpoint::run(),
        ref numbers => compare(number(numbers, 0, 5)?, Duration::from_secs(number(numbers, 1, 3)?)),
    }
}

fn number(words: &[&str], index: usize, default: u64) -> Result<u64> {
    words
        .get(index)
        .map_or(Ok(default), |word| word.parse().with_context(|| format!("{word:?} is no number")))
}

fn compare(rounds: u64, length: Duration) -> Result<()> {
    let _endpoint = endpoint::start()?;
    let contenders = Kind::ALL.map(Contender::start).into_iter().collect::<Result<Vec<_>>>()?;
    for cell in &CELLS {
        let contenders: Vec<_> =
            contenders.iter().filter(|contender| contender.kind.serves(cell.service)).collect();
        let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (contender, samples) in contenders.iter().zip(&mut samples) {
                samples.push(load::run(cell, contender, length)?);
            }
        }
        print(cell, &contenders, &samples);
    }
    Ok(())
}

fn print(cell: &Cell, contenders: &[&Contender], samples: &[Vec<Sample>]) {
    say(&format!("\n{}", cell.name));
    say("  proxy      CPU µs/request: least  median   ratio      p99 ms: median");
    let ours = least(&samples[0]);
    for (contender, samples) in contenders.iter().zip(samples) {
        let least = least(samples);
        say(&format!(
            "  {:<10} {least:>21.1} {:>7.1} {:>7.2} {:>19.2}",
            contender.kind.name(),
            median(samples, |sample| sample.cpu_micros),
            ours / least,
            median(samples, |sample| sample.p99_millis),
        ));
    }
}

fn least(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.cpu_micros).fold(f64::INFINITY, f64::min)
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
fn say(line: &str) {
    println!("{line}");
}
