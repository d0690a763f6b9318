"""Did a virtual school narrow the gaps of children with a social worker, and how sure are we."""
