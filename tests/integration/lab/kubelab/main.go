// Kubelab is the lab's Kubernetes: every program of a cluster, unchanged, in one file.
//
//	kubelab etcd DIR CLIENT-URL PEER-URL   prints "etcd ready" when it is, and runs until it is killed
//	kubelab PROGRAM [FLAGS]                kube-apiserver, kube-controller-manager, kube-scheduler,
//	                                       kubelet, kube-proxy, kubectl: as by their own names
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The exit status of a wrong command line, and of an etcd that ends by itself.
const failed = 2

func main() {
	if len(os.Args) < 2 {
		fail("which program? %s", names())
	}
	// From here on the command line is the program's own.
	program := os.Args[1]
	os.Args = os.Args[1:]
	switch program {
	case "etcd":
		fail("etcd: %v", etcd(os.Args[1:]))
	case "kubectl":
		// Its errors are its own: "Error from server …" without a usage text, and exit status 1.
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			util.CheckErr(err)
		}
	default:
		command, known := daemons[program]
		if !known {
			fail("there is no program %q here; there are %s", program, names())
		}
		os.Exit(cli.Run(command()))
	}
}

var daemons = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
}

func names() string {
	names := []string{"etcd", "kubectl"}
	for name := range daemons {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Etcd is a server of one member. It returns only when something is wrong.
func etcd(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("wants DIR CLIENT-URL PEER-URL, not %q", args)
	}
	client, err := url.Parse(args[1])
	if err != nil {
		return err
	}
	peer, err := url.Parse(args[2])
	if err != nil {
		return err
	}
	config := embed.NewConfig()
	config.Dir = args[0]
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.LogLevel = "error"
	// A lab's data lives as long as the lab: there is no power cut to survive.
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	<-server.Server.ReadyNotify()
	fmt.Println("etcd ready")
	return <-server.Err()
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "kubelab: "+format+"\n", arguments...)
	os.Exit(failed)
}
