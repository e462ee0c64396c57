// Sockets, child processes and real time: the tests of this assembly run one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
