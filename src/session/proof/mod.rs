//! What the protocol promises, shown over the real decision function.
//!
//! * [`sim`] plays thousands of random runs of browsers, networks and thieves.
//! * [`exhaustive`] walks every path of a small world, so that "never" means never.

mod browser;
mod exhaustive;
mod ledger;
mod sim;
mod thief;
mod worlds;
