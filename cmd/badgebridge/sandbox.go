package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
)

func (c *cli) sandbox() *cobra.Command {
	cmd := &cobra.Command{Use: "sandbox", Short: "Run a simulated system to try the gateway against"}
	var listen, state string
	var options simcredly.Options
	credly := &cobra.Command{
		Use: "credly", Short: "Simulate Credly's API", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := listenOn(listen)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "Simulated Credly at http://%s/v1\n  organization %s\n  token        %s\n  control      http://%s/__sim/\n", l.Addr(), simcredly.DemoOrg, simcredly.DemoToken, l.Addr())
			return simcredly.Serve(cmd.Context(), simcredly.Config{StateFile: state, Options: options}, simcredly.DemoSeed(), l)
		},
	}
	credly.Flags().StringVar(&listen, "listen", "127.0.0.1:8082", "address to answer on")
	credly.Flags().StringVar(&state, "state", "", "file that keeps the state over a restart")
	for _, o := range simcredly.Inferred() {
		f := credly.Flags().VarPF(o.On(&options), o.Name, "", o.Doc)
		if o.On(&options).IsBoolFlag() {
			f.NoOptDefVal = "true"
		}
	}
	var siteListen, siteState string
	siteCmd := &cobra.Command{
		Use: "site", Short: "Simulate an association's WordPress site with the plugin", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := listenOn(siteListen)
			if err != nil {
				return err
			}
			url := "http://" + l.Addr().String()
			s, err := site.New(site.Config{BaseURL: url, Name: demo.Association, Timezone: "Europe/Berlin", StateFile: siteState, Seed: demo.SiteSeed(time.Now())})
			if err != nil {
				return err
			}
			defer s.Close()
			fmt.Fprintf(c.err, "Simulated site at %s; pair it on its admin page\n", url)
			srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
			go func() {
				<-cmd.Context().Done()
				_ = srv.Close()
			}()
			if err := srv.Serve(l); err != nil && cmd.Context().Err() == nil {
				return err
			}
			return nil
		},
	}
	siteCmd.Flags().StringVar(&siteListen, "listen", "127.0.0.1:8081", "address to answer on")
	siteCmd.Flags().StringVar(&siteState, "state", "", "file that keeps the state over a restart")
	cmd.AddCommand(credly, siteCmd)
	return cmd
}

// listenOn listens, or says in one line why not.
func listenOn(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %s can't be used (%s); stop what answers there, or choose another with listen: or BADGEBRIDGE_LISTEN", addr, reason(err))
	}
	return l, nil
}
