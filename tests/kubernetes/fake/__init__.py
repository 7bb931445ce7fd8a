"""A small cluster in the test's own process: an API server, a Job controller and a kubelet.

The API is that of Kubernetes as far as our code and `kubectl` use it: objects, versions, lists in
pages, watches that can be too old, selectors, merge patches, owner references, graceful deletion.
The kubelet runs a pod's containers as real processes of this machine, in folders of the test's,
so that the programs in our pods are run and not imitated. What a cluster does on its own
account (quota, unschedulable, lost nodes) is played on order.
"""
