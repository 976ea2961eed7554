//! Response headers that harden a page, and the refusal of plain http.
