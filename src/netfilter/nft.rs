//! The driver: asks, compares, acts.

use super::listing::Listing;
use super::{GuardError, generation, table};
use crate::host::process::{self, RunError};
use crate::plan::ExposurePlan;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// Times that a table is written before others, who change their rules just as often, win.
const ATTEMPTS: usize = 5;

/// The table `inet novaedge` of the network namespace in which it runs.
#[derive(Debug, Default)]
pub struct Nft {
    known: Option<Known>,
}

/// The table as it was read, or read and changed by us since.
#[derive(Debug)]
struct Known {
    table: Listing,
    /// While the kernel's generation is this one, the table is what we know.
    generation: u32,
}

impl Nft {
    pub fn new() -> Self {
        Self::default()
    }

    /// The addresses that are surely exposed by their services only.
    pub fn guarded(&self) -> BTreeSet<IpAddr> {
        self.known.as_ref().map(|known| known.table.plan.addresses.clone()).unwrap_or_default()
    }

    /// Makes the table what the plan says; costs next to nothing where it is so already. Dropping the
    /// future is safe: transactions are whole or not at all, and the next call reads what is there.
    ///
    /// # Errors
    /// The table does what it did before.
    pub async fn guard(&mut self, plan: &ExposurePlan) -> Result<(), GuardError> {
        self.verify().await?;
        let next = match &self.known {
            Some(known) if known.table.plan == *plan => return Ok(()),
            Some(known) if !plan.addresses.is_empty() && !known.table.plan.addresses.is_empty() => {
                match change(known, plan).await {
                    Ok(changed) => changed,
                    // Somebody took out an element in this very moment.
                    Err(_) => replace(plan).await?,
                }
            }
            _ => replace(plan).await?,
        };
        self.known = Some(next);
        Ok(())
    }

    /// Looks whether the table is still what we know, and forgets it if not.
    async fn verify(&mut self) -> Result<(), GuardError> {
        let generation = generation::current().map_err(GuardError::Generation)?;
        let Some(known) = &mut self.known else { return Ok(()) };
        if known.generation == generation {
            return Ok(());
        }
        match list().await {
            Ok(table) if table == known.table => known.generation = generation,
            Ok(_) | Err(GuardError::Unreadable(_)) => {
                tracing::warn!("somebody changed the table inet novaedge; putting it back");
                self.known = None;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Changes the elements that differ.
async fn change(known: &Known, plan: &ExposurePlan) -> Result<Known, GuardError> {
    transact(&table::change(&known.table.plan, plan)).await?;
    let table = Listing { plan: plan.clone(), rules: known.table.rules.clone() };
    // One step is ours. If somebody else took one meanwhile, the numbers differ and the next call reads.
    Ok(Known { table, generation: known.generation.wrapping_add(1) })
}

/// Writes the whole table and reads it back. What is read is what we wrote only if nobody took a step in
/// between; so the generation must be one further, or it is done again.
async fn replace(plan: &ExposurePlan) -> Result<Known, GuardError> {
    for _ in 0..ATTEMPTS {
        let before = generation::current().map_err(GuardError::Generation)?;
        write(plan).await?;
        let table = list().await?;
        let generation = generation::current().map_err(GuardError::Generation)?;
        if generation == before.wrapping_add(1) {
            return if table.plan == *plan {
                Ok(Known { table, generation })
            } else {
                Err(GuardError::ReadBack)
            };
        }
    }
    Err(GuardError::Contended)
}

/// Writes the whole table, in place where one of our shape is.
async fn write(plan: &ExposurePlan) -> Result<(), GuardError> {
    if plan.addresses.is_empty() {
        return transact(&table::removal()).await;
    }
    // One of our shape by its names may be an older version's; then it cannot be changed in place.
    let found = list().await.ok().filter(Listing::has_our_shape);
    if let Some(found) = found
        && transact(&table::in_place(&found.plan, plan)).await.is_ok()
    {
        return Ok(());
    }
    transact(&table::anew(plan)).await
}

async fn transact(script: &str) -> Result<(), GuardError> {
    process::run("nft", &["-f", "-"], script.as_bytes(), PATIENCE).await?;
    Ok(())
}

async fn list() -> Result<Listing, GuardError> {
    let args = ["--stateless", "--json", "list", "table", "inet", "novaedge"];
    match process::run("nft", &args, b"", PATIENCE).await {
        Ok(printed) => Listing::read(&printed).map_err(GuardError::Unreadable),
        Err(RunError::Failed { message, .. }) if message.contains("No such file or directory") => {
            Ok(Listing::default())
        }
        Err(error) => Err(error.into()),
    }
}
