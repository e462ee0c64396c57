// Most of a laboratory test is waiting; more of them at once than this, and two small cores are late for their audio.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
