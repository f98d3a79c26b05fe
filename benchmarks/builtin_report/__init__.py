"""The report on the built-in models: what each policy achieves by strategy, judge and budget (`make report`)."""
