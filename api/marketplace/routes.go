package marketplace

import (
	"net/http"
	"slices"
)

// Route is one operation at one path.
type Route struct {
	Method, Path string
	// Operation is the name in the journal and in the OpenAPI documents.
	Operation string
	serve     func(*call) error
	// quotes says that it is asked by those who ask for quotes, not by those who author.
	quotes bool
}

// The prefixes of the gateway, below which, and bare, the contracts are served.
const (
	prefixMarketplace = "/afm/marketplace-service/v1"
	prefixCalculator  = "/afm/calculator-service/v1"
	prefixNode        = "/afm/node/calculator-service/v1"
	prefixUtils       = "/afm/utils/v1"
	prefixNative      = "/gec/v1"
)

// Routes is the table of everything that is served here. The OpenAPI documents are tested against it.
func Routes() (table []Route) {
	add := func(prefixes []string, routes []Route) {
		for _, prefix := range prefixes {
			for _, r := range routes {
				r.Path = prefix + r.Path
				table = append(table, r)
			}
		}
	}
	add([]string{"", prefixMarketplace}, slices.Concat(pspRoutes(), ecRoutes(), registryRoutes(), methodRoutes()))
	add([]string{prefixMarketplace}, []Route{{http.MethodGet, "/payment-methods/{paymentMethodId}", "getPaymentMethod", getPaymentMethod, false}})
	add([]string{"", prefixCalculator, prefixNode}, searchRoutes())
	add([]string{"", prefixUtils}, cdiRoutes())
	add([]string{prefixNative}, nativeRoutes())
	return table
}

const get, post, put, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete

// pspRoutes are what a PSP does, and those who act for it.
func pspRoutes() []Route {
	return []Route{
		{get, "/psps/{idPsp}/bundles", "getBundlesByPsp", getPSPBundles, false},
		{post, "/psps/{idPsp}/bundles", "createBundle", createBundle, false},
		{post, "/psps/{idPsp}/bundles/massive", "createBundles", createBundles, false},
		{get, "/psps/{idPsp}/bundles/{idBundle}", "getBundleByPsp", getPSPBundle, false},
		{put, "/psps/{idPsp}/bundles/{idBundle}", "updateBundle", updateBundle, false},
		{remove, "/psps/{idPsp}/bundles/{idBundle}", "deleteBundle", deleteBundle, false},
		{get, "/psps/{idPsp}/bundles/{idBundle}/creditorInstitutions", "getSubscribers", getSubscribers, false},
		{get, "/psps/{idPsp}/bundles/{idBundle}/creditorInstitutions/{ciFiscalCode}", "getSubscriber", getSubscriber, false},
		{post, "/psps/{idPsp}/bundles/{idBundle}/offers", "createOffers", createOffers, false},
		{remove, "/psps/{idPsp}/bundles/{idBundle}/offers/{idBundleOffer}", "deleteOffer", deleteOffer, false},
		{get, "/psps/{idPsp}/offers", "getOffersByPsp", getPSPOffers, false},
		{get, "/psps/{idPsp}/requests", "getRequestsByPsp", getPSPRequests, false},
		{post, "/psps/{idPsp}/requests/{idBundleRequest}/accept", "acceptRequest", acceptRequest, false},
		{post, "/psps/{idPsp}/requests/{idBundleRequest}/reject", "rejectRequest", rejectRequest, false},
	}
}

// ecRoutes are what an EC does, and those who act for it.
func ecRoutes() []Route {
	return []Route{
		{get, "/cis/{ciFiscalCode}/bundles", "getBundlesByCi", getECBundles, false},
		{get, "/cis/{ciFiscalCode}/bundles/{idBundle}", "getBundleByCi", getECBundle, false},
		{remove, "/cis/{ciFiscalCode}/bundles/{idBundle}", "deleteBundleByCi", leaveBundle, false},
		{get, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes", "getAttributes", getAttributes, false},
		{post, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes", "createAttribute", createAttribute, false},
		{put, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes/{idAttribute}", "updateAttribute", updateAttribute, false},
		{remove, "/cis/{ciFiscalCode}/bundles/{idBundle}/attributes/{idAttribute}", "deleteAttribute", deleteAttribute, false},
		{get, "/cis/{ciFiscalCode}/offers", "getOffersByCi", getECOffers, false},
		{post, "/cis/{ciFiscalCode}/offers/{idBundleOffer}/accept", "acceptOffer", acceptOffer, false},
		{post, "/cis/{ciFiscalCode}/offers/{idBundleOffer}/reject", "rejectOffer", rejectOffer, false},
		{get, "/cis/{ciFiscalCode}/requests", "getRequestsByCi", getECRequests, false},
		{post, "/cis/{ciFiscalCode}/requests", "createRequest", createRequest, false},
		{remove, "/cis/{ciFiscalCode}/requests/{idBundleRequest}", "deleteRequest", deleteRequest, false},
	}
}

// registryRoutes are the bundles of all, and what the operator registers.
func registryRoutes() []Route {
	return []Route{
		{get, "/bundles", "getBundles", getBundles, false},
		{get, "/bundles/{idBundle}", "getBundle", getBundle, false},
		{get, "/touchpoints", "getTouchpoints", getTouchpoints, false},
		{post, "/touchpoints", "createTouchpoint", createTouchpoint, false},
		{get, "/touchpoints/{idTouchpoint}", "getTouchpoint", getTouchpoint, false},
		{remove, "/touchpoints/{idTouchpoint}", "deleteTouchpoint", deleteTouchpoint, false},
		{get, "/paymenttypes", "getPaymentTypes", getPaymentTypes, false},
		{post, "/paymenttypes", "syncPaymentTypes", syncPaymentTypes, false},
		{post, "/paymenttypes/create", "createPaymentType", createPaymentType, false},
		{get, "/paymenttypes/{paymentType}", "getPaymentType", getPaymentType, false},
		{remove, "/paymenttypes/delete/{paymentType}", "deletePaymentType", deletePaymentType, false},
		{get, "/configuration", "getConfiguration", getConfiguration, false},
	}
}

// methodRoutes are the operator's payment methods, without the one that the calculator has too.
func methodRoutes() []Route {
	return []Route{
		{get, "/payment-methods", "getPaymentMethods", getPaymentMethods, false},
		{post, "/payment-methods", "createPaymentMethod", createPaymentMethod, false},
		{put, "/payment-methods/{paymentMethodId}", "updatePaymentMethod", updatePaymentMethod, false},
		{remove, "/payment-methods/{paymentMethodId}", "deletePaymentMethod", deletePaymentMethod, false},
	}
}

// searchRoutes are the payment methods as payments see them.
func searchRoutes() []Route {
	return []Route{
		{post, "/payment-methods/search", "searchPaymentMethods", searchPaymentMethods, true},
		{get, "/payment-methods/{paymentMethodId}", "getPaymentMethod", getPaymentMethod, true},
	}
}

// cdiRoutes are the platform's utils.
func cdiRoutes() []Route {
	return []Route{
		{post, "/cdis/sync", "syncCdis", syncCDIs, false},
		{get, "/cdis/sync", "getCdiSyncs", getCDISyncs, false},
		{remove, "/cdis/sync", "deleteCdis", deleteCDIs, false},
		{remove, "/psps/{idPsp}/cdis/{idCdi}", "deleteCdi", deleteCDI, false},
	}
}

// nativeRoutes are our own.
func nativeRoutes() []Route {
	return []Route{
		{post, "/psps/{idPsp}/uploads", "uploadBundles", uploadBundles, false},
		{get, "/psps/{idPsp}/lint", "lintBundles", lintPSP, false},
		{post, "/lint", "lintDocument", lintDocument, false},
		{get, "/revisions", "getRevisions", getRevisions, false},
		{get, "/diff", "getDiff", getDiff, false},
		{get, "/bundles/{idBundle}/history", "getHistory", getHistory, false},
		{post, "/whatif", "whatIf", whatIf, false},
	}
}

// Prefixes are the beginnings of the paths that are served here, each with a slash at its end.
func Prefixes() []string {
	return []string{
		"/psps/", "/cis/", "/bundles/", "/touchpoints/", "/paymenttypes/", "/configuration/", "/payment-methods/", "/cdis/",
		prefixMarketplace + "/", prefixUtils + "/", prefixCalculator + "/payment-methods/", prefixNode + "/payment-methods/",
		prefixNative + "/psps/", prefixNative + "/lint/", prefixNative + "/whatif/",
		prefixNative + "/revisions/", prefixNative + "/diff/", prefixNative + "/bundles/",
	}
}
