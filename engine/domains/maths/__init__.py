"""Mathematics: answers in `\\boxed{...}`, compared as numbers and by math-verify in a process of its own."""
