"""Mathematics: answers in `\\boxed{...}`, read as what they mean and compared in a process of its own."""
