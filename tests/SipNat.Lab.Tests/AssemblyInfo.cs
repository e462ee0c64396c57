// Mapping lifetimes of seconds bear no company on a small machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
