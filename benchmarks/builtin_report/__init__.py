"""The report on the built-in world: what each policy reaches under each strategy, judge and budget (`make report`)."""
