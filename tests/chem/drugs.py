"""Approved drugs and the like, written from memory: what every property of the chemistry is tried on."""

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",  # ibuprofen
    "CC(=O)Nc1ccc(O)cc1C",
    "CN1CCC[C@H]1c1cccnc1",  # nicotine
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",  # caffeine
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc21",  # diazepam
    "CNCCC(Oc1ccc(C(F)(F)F)cc1)c1ccccc1",  # fluoxetine
    "CN[C@H]1CC[C@@H](c2ccc(Cl)c(Cl)c2)c2ccccc21",  # sertraline
    "CN(C)CCC[C@]1(c2ccc(F)cc2)OCc2cc(C#N)ccc21",  # escitalopram
    "CC(C)NCC(O)COc1cccc2ccccc12",  # propranolol
    "COCCc1ccc(OCC(O)CNC(C)C)cc1",  # metoprolol
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl",  # furosemide
    "CCCCc1nc(Cl)c(CO)n1Cc1ccc(-c2ccccc2-c2nn[nH]n2)cc1",  # losartan
    "CCOC(=O)C1=C(COCCN)NC(C)=C(C(=O)OC)C1c1ccccc1Cl",  # amlodipine
    "CN(C)C(=N)NC(=N)N",  # metformin
    "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",  # celecoxib
    "COc1ccc2[nH]c(S(=O)Cc3ncc(C)c(OC)c3C)nc2c1",  # omeprazole
    "COc1ccc2[nH]c([S@@](=O)Cc3ncc(C)c(OC)c3C)nc2c1",  # esomeprazole
    "CN/C(=C\\[N+](=O)[O-])NCCSCc1ccc(CN(C)C)o1",  # ranitidine
    "Cc1nc(NC(=N)N)sc1",
    "Clc1ccc(C(c2ccccc2)N2CCN(CCOCC(=O)O)CC2)cc1",  # cetirizine
    "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1",  # thalidomide
    "CC1=C(CCN2CCC(c3noc4cc(F)ccc34)CC2)C(=O)N2CCCCC2=N1",  # risperidone
    "O=C1CCc2ccc(OCCCCN3CCN(c4cccc(Cl)c4Cl)CC3)cc2N1",  # aripiprazole
    "CN1CCN(C2=Nc3cc(Cl)ccc3Nc3ccccc32)CC1",  # clozapine
    "OC(=O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",  # ciprofloxacin
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",  # imatinib
    "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",  # gefitinib
    "C#Cc1cccc(Nc2ncnc3cc(OCCOC)c(OCCOC)cc23)c1",  # erlotinib
    "CNC(=O)c1cc(Oc2ccc(NC(=O)Nc3ccc(Cl)c(C(F)(F)F)c3)cc2)ccn1",  # sorafenib
    "Cc1nc(Nc2ncc(C(=O)Nc3c(C)cccc3Cl)s2)cc(N2CCN(CCO)CC2)n1",  # dasatinib
    "CC1CCN(C(=O)CC#N)CC1N(C)c1ncnc2[nH]ccc12",  # tofacitinib
    "N#CC[C@H](C1CCCC1)n1cc(-c2ncnc3[nH]ccc23)cn1",  # ruxolitinib
    "O=C(NC[C@H]1CN(c2ccc(N3CCOCC3=O)cc2)C(=O)O1)c1ccc(Cl)s1",  # rivaroxaban
    "COc1ccc(-n2nc(C(N)=O)c3c2C(=O)N(c2ccc(N4CCCCC4=O)cc2)CC3)cc1",  # apixaban
    "CC(C)c1c(C(=O)Nc2ccccc2)c(-c2ccccc2)c(-c2ccc(F)cc2)n1CC[C@@H](O)C[C@@H](O)CC(=O)O",  # atorvastatin
    "N[C@@H](CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F",  # sitagliptin
    "CCCc1nn(C)c2c1nc(-c1cc(S(=O)(=O)N3CCN(C)CC3)ccc1OCC)[nH]c2=O",  # sildenafil
    "O=C1N(C2CCC(=O)NC2=O)Cc2c1cccc2N",  # lenalidomide
    "Nc1nc(=O)c2ncn(COCCO)c2[nH]1",  # aciclovir
    "OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F",  # fluconazole
    "CC(=O)N1CCN(c2ccc(OCC3COC(Cn4ccnc4)(c4ccc(Cl)cc4Cl)O3)cc2)CC1",  # ketoconazole
    "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",  # salbutamol
    "CN(C)CC(c1ccc(OC)cc1)C1(O)CCCCC1",  # venlafaxine
    "CC(Cc1ccccc1)NC",
    "O=C(O)Cc1ccccc1Nc1c(Cl)cccc1Cl",  # diclofenac
    "CC(C(=O)O)c1ccc2cc(OC)ccc2c1",  # naproxen
    "CC(CS)C(=O)N1CCCC1C(=O)O",  # captopril
    "CCOC(=O)C(CCc1ccccc1)NC(C)C(=O)N1CCCC1C(=O)O",  # enalapril
    "CN(C)CCc1c[nH]c2ccc(CS(=O)(=O)NC)cc12",  # sumatriptan
    "CC12CCC3c4ccc(O)cc4CCC3C1CCC2O",  # estradiol
    "CC(=O)c1ccc2c(c1)N(CCCN1CCC(CCO)CC1)c1ccccc1S2",
    "Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1",  # sulfamethoxazole
    "COc1cc(Cc2cnc(N)nc2N)cc(OC)c1OC",  # trimethoprim
    "N=C(N)c1ccc(CNC(=O)[C@@H]2CCN2C(=O)[C@H](NCC(=O)O)C2CCCCC2)cc1",  # melagatran
    "Cc1c(CN2CCC(Oc3ccc4[nH]ncc4c3)CC2)cccc1F",
    "C1CC(OCCCN2CCCCC2)CCN1Cc1ccccc1",
    "CC(C)N1CCC(Oc2ccc(C3=NNC(=O)CC3)cc2)CC1",
    "FC(F)(F)c1ccc(Oc2ccc(CN3CCOCC3)cc2)nc1",
    "CN1CCC(=C2c3ccccc3CCc3cccnc32)CC1",
    "Nc1ncnc2c1c(-c1ccc(Oc3ccccc3)cc1)nn2[C@@H]1CCCN(C(C)=O)C1",
    "C[N+](C)(C)CCOC(=O)c1ccc(Cl)cc1",
)
