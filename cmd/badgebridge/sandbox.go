package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	simcredly "badgebridge/sandbox/credly"
	"badgebridge/sandbox/demo"
	"badgebridge/sandbox/site"
)

func (c *cli) sandbox() *cobra.Command {
	cmd := &cobra.Command{Use: "sandbox", Short: "Run a simulated system to try the gateway against"}
	cmd.AddCommand(c.sandboxCredly(), c.sandboxSite())
	return cmd
}

func (c *cli) sandboxCredly() *cobra.Command {
	var listen, webhook string
	var cfg simcredly.Config
	var fault simcredly.Fault
	cmd := &cobra.Command{
		Use: "credly", Short: "Simulate Credly's API", Args: cobra.NoArgs,
		Long: "Simulate Credly's API: one demo organization with a few badge templates, pages where an earner answers a badge,\n" +
			"and a page to control it all. What Credly does not document was inferred; each inference has a flag that turns it.\n" +
			"Those marked * are the five that decide whether a client loses or doubles a badge.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fault.Kind != "" {
				if err := simcredly.CheckFault(fault); err != nil {
					return fmt.Errorf("--fault: %w", err)
				}
			}
			l, err := listenOn(listen)
			if err != nil {
				return err
			}
			url := cfg.BaseURL
			if url == "" {
				url = "http://" + l.Addr().String()
			}
			seed := simcredly.DemoSeed()
			seed.Orgs[0].WebhookURL = webhook
			more := simcredly.DemoCredentials(cfg.Sandbox)
			seed.Tokens, seed.Apps = more.Tokens, more.Apps
			fmt.Fprintf(c.err, "Simulated Credly at %s/v1\n  organization %s\n  token        %s\n  more tokens, accounts, clock, faults, options: %s/__sim/\n", url, simcredly.DemoOrg, simcredly.DemoToken, url)
			s, err := simcredly.New(cfg)
			if err != nil {
				return err
			}
			if err := s.Seed(seed); err != nil {
				return err
			}
			if fault.Kind != "" {
				s.Inject(fault)
			}
			return s.Serve(cmd.Context(), l)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&listen, "listen", "127.0.0.1:8082", "address to answer on")
	f.StringVar(&cfg.BaseURL, "base-url", "", "address in the links that it hands out (default the one that it is asked at)")
	f.StringVar(&cfg.StateFile, "state", "", "file that keeps the state over a restart")
	f.BoolVar(&cfg.Sandbox, "sandbox", false, "be Credly's sandbox, which refuses tokens of its production")
	f.StringVar(&webhook, "webhook", "", "address that gets the organization's webhooks")
	kinds := make([]string, 0, 24)
	for _, k := range simcredly.FaultKinds() {
		kinds = append(kinds, k.Name)
	}
	f.StringVar(&fault.Kind, "fault", "", "let calls fail, in one of these ways each time: "+strings.Join(kinds, ","))
	f.Float64Var(&fault.Probability, "fault-rate", 0.1, "share of the calls that fail")
	f.StringVar(&fault.Method, "fault-method", "", "fail only calls with this method")
	f.StringVar(&fault.Path, "fault-path", "", `fail only calls of this path, as "/v1/organizations/*/badges"`)
	f.StringVar(&fault.Delay, "fault-delay", "1s", "delay of the faults that wait")
	f.IntVar(&fault.Seconds, "fault-retry-after", 5, "seconds that the faults with Retry-After ask for")
	f.Uint64Var(&cfg.FaultSeed, "fault-seed", 1, "the same seed and the same calls give the same failures")
	for _, o := range simcredly.Inferred() {
		mark := ""
		if o.Deciding {
			mark = "* "
		}
		setting := o.On(&cfg.Options)
		flag := f.VarPF(setting, o.Name, "", mark+o.Doc)
		if setting.IsBoolFlag() {
			flag.NoOptDefVal = "true"
		}
	}
	return cmd
}

func (c *cli) sandboxSite() *cobra.Command {
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
	return siteCmd
}

// listenOn listens, or says in one line why not.
func listenOn(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %s can't be used (%s); stop what answers there, or choose another with listen: or BADGEBRIDGE_LISTEN", addr, reason(err))
	}
	return l, nil
}
