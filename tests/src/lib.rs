//! Tests that need more than one service: the simulation (`sim/`) and the real binary end to end (`e2e/`). Nothing to import.
