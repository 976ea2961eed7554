//! What the protocol promises, shown over the real decision function.
